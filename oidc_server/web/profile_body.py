"""What apps may be told of a person (Core §5.1), as the API takes it and tells it."""

from typing import Annotated, Any

from pydantic import Field

from oidc_server.domain import profiles
from oidc_server.domain.users import User
from oidc_server.web.json_api import Body

Line = Annotated[str, Field(max_length=1000)]


class Claims(Body):
    """What apps may be told of a person (Core §5.1)."""

    name: Line | None = None
    given_name: Line | None = None
    family_name: Line | None = None
    middle_name: Line | None = None
    nickname: Line | None = None
    profile: Line | None = None
    picture: Line | None = None
    website: Line | None = None
    gender: Line | None = None
    birthdate: Line | None = None
    zoneinfo: Line | None = None
    locale: Line | None = None
    phone_number: Line | None = None
    address: dict[str, Line] | None = None

    def named(self) -> dict[str, Any]:
        """The claims that the body names: null or "" removes one, what is not named stays."""
        return {
            claim: getattr(self, claim)
            for claim in profiles.CLAIMS
            if claim in self.model_fields_set
        }


def claims_of(user: User) -> dict[str, Any]:
    """All of them, as they are answered."""
    return {claim: getattr(user, claim) for claim in profiles.CLAIMS}
