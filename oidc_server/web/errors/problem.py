"""Errors before they have a shape, and the errors that the web kit itself raises."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oidc_server.web.context import Context
from oidc_server.web.errors.types import INVALID_FIELDS, ProblemType
from oidc_server.web.load.rate_limit import Quota
from oidc_server.web.responses import Response


class NotFoundError(Exception):
    """There is nothing here, or nothing that this person may know of."""


class MethodNotAllowedError(Exception):
    """The address exists, the method does not (RFC 9110 §15.5.6). `allowed` are those that do.

    With `of_button` it is where a button of a page posts to, and the page has another address.
    """

    def __init__(self, allowed: frozenset[str], *, of_button: bool = False) -> None:
        super().__init__(", ".join(sorted(allowed)))
        self.allowed = allowed
        self.of_button = of_button


class ProblemError(Exception):
    """What a caller of the API did cannot be done; `detail` says why, `members` are told too."""

    def __init__(self, kind: ProblemType, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.members = members
        self.trace: Callable[[Context], None] | None = None
        """What is written down of it, in a transaction of its own: this one is rolled back."""

    def told(self) -> "Problem":
        """The same, not raised."""
        kind = self.kind
        return Problem(
            kind.status,
            "invalid_request",
            kind.title,
            self.detail,
            kind.what_to_do,
            type=kind,
            members=self.members,
        )


class InvalidFieldsError(ProblemError):
    """Fields of a request cannot be taken: where each stands, and what is wrong with it."""

    def __init__(self, *fields: tuple[Sequence[str | int], str]) -> None:
        super().__init__(
            INVALID_FIELDS,
            "Some fields cannot be taken; errors says which, and why.",
            errors=[
                {"field": ".".join(str(part) for part in place), "message": message}
                for place, message in fields
            ],
        )


@dataclass(frozen=True)
class Problem:
    """An error as it is told: `error` is the code of RFC 6749 §5.2, the rest is for people."""

    status: int
    error: str
    title: str
    explanation: str
    what_to_do: str
    retry_after: int | None = None
    quota: Quota | None = None
    allow: str | None = None
    way_on: tuple[str | None, str] | None = None
    """A route of ours, or None for the page where it went wrong, and what its button says."""
    type: ProblemType | None = None
    """Which of the documented types it is; that of its status if nothing else is said."""
    members: Mapping[str, Any] = field(default_factory=dict)
    """What the type tells besides (RFC 9457 §3.2)."""


Shape = Callable[[Context, Problem], Response]
