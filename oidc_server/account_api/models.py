"""What is sent to and answered by the operations on one's own account."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from oidc_server.api.models import Answer, Body
from oidc_server.api.profile import Claims, Person, members_of
from oidc_server.domain.users import User

_SECRET = {"writeOnly": True}
Username = Annotated[str, Field(min_length=1, max_length=200)]
Email = Annotated[str, Field(min_length=1, max_length=400)]
Password = Annotated[str, Field(min_length=1, max_length=4096, json_schema_extra=_SECRET)]
Link = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        json_schema_extra=_SECRET,
        description="The value of `link` in the address that the mail holds.",
    ),
]
Code = Annotated[str, Field(min_length=1, max_length=40, json_schema_extra=_SECRET)]


class SignUp(Claims):
    """An account to make."""

    username: Username
    email: Email
    password: Password
    invitation: Link | None = Field(
        default=None,
        description="Where accounts are by invitation: the value of `link` in its address.",
    )


class Proven(Body):
    """The proof that it is oneself."""

    current_password: Password | None = Field(
        default=None,
        description="Needed by everybody who has a password. Who has none must have signed in"
        " within the last five minutes.",
    )


class NewPasswordOfMine(Proven):
    """Another password."""

    password: Password


class NewEmailOfMine(Proven):
    """Another address: it is used once it is confirmed."""

    email: Email


class Reset(Body):
    """Whose password is forgotten."""

    username: Username = Field(description="The username, or a verified address.")


class ChosenByLink(Body):
    """A password that is chosen with a mailed link."""

    link: Link
    password: Password


class Confirmation(Body):
    """That one reads an address: the link of the mail or, with an access token, its code."""

    link: Link | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.link is None) == (self.code is None):
            raise ValueError("Send link or code.")
        return self


class Me(Person):
    """One's own account. `id` is the `sub` that the client knows."""


class Deletion(Answer):
    """When the account will be gone; null if it is."""

    deletes_at: datetime | None


class Session(Answer):
    """A browser that is signed in: where that began, and when it was used last."""

    id: str
    current: bool = Field(description="Whether the access token came of it.")
    address: str
    user_agent: str
    amr: list[str]
    signed_in_at: datetime
    last_used_at: datetime
    expires_at: datetime


class Sessions(Answer):
    """The sessions that hold, the one used last first."""

    sessions: list[Session]


class Consent(Answer):
    """What a client may do with the account, and what it holds of it."""

    client_id: str
    client_name: str
    scopes: list[str]
    resources: list[str]
    remembered: bool = Field(description="Whether it will not be asked for again.")
    sign_ins: int = Field(description="How many sign-ins of it go on.")
    devices: int = Field(description="Those of them on devices.")
    since: datetime
    last_used_at: datetime | None


class Consents(Answer):
    """What clients may do with the account, the one used last first."""

    consents: list[Consent]


def told(user: User, shown_id: str) -> Me:
    """A person as they are told of themselves."""
    return Me(id=shown_id, **members_of(user))
