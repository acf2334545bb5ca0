"""What a client of the suite is given."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What arrived at the redirect URI, checked."""

    params: dict[str, str]

    @property
    def error(self) -> str | None:
        return self.params.get("error")


@dataclass(frozen=True)
class Tokens:
    """A token response, checked, with the claims of its ID Token."""

    body: dict[str, Any]
    id_token: dict[str, Any]
    header: dict[str, Any]

    @property
    def access_token(self) -> str:
        return str(self.body["access_token"])
