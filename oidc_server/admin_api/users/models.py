"""What is sent to and answered by the operations on people."""

from typing import Annotated

from pydantic import AfterValidator, Field

from oidc_server.api.lists import PageQuery
from oidc_server.api.models import Answer, Body, Truth, printable
from oidc_server.api.profile import Claims, Person, members_of
from oidc_server.domain.users import User

Username = Annotated[str, Field(max_length=200)]
Email = Annotated[str, Field(max_length=400)]
Password = Annotated[str, Field(max_length=4096, json_schema_extra={"writeOnly": True})]
_Search = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)]


class NewUser(Claims):
    """An account to make. Without a password its owner chooses one through a mailed link."""

    username: Username
    email: Email | None = None
    email_verified: bool = False
    phone_number_verified: bool = False
    password: Password | None = None
    roles: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=50)] = Field(
        default_factory=list
    )


class UserChange(Claims):
    """What shall be different; null or "" removes a claim, what is not named stays."""

    username: Username | None = None
    email: Email | None = None
    email_verified: bool | None = None
    phone_number_verified: bool | None = None


class ChosenPassword(Body):
    """A password for somebody."""

    password: Password


class UsersQuery(PageQuery):
    """Which people."""

    search: _Search | None = Field(
        default=None, description="The beginning of a username or an address."
    )
    role: Annotated[str, Field(max_length=64), AfterValidator(printable)] | None = None
    disabled: Truth | None = None
    verified: Truth | None = Field(default=None, description="Whether the address is verified.")


class UserAnswer(Person):
    """A person. `username`, `email` and the roles are ours; the rest is what apps may be told."""

    disabled: bool
    roles: list[str]


class UsersPage(Answer):
    """A page of people. It may be short, and others follow, as long as `next_cursor` is there."""

    users: list[UserAnswer]
    next_cursor: str | None


def told(user: User, names: list[str]) -> UserAnswer:
    """A person with their roles, as it is answered."""
    is_disabled = user.disabled_at is not None
    return UserAnswer(id=user.id, disabled=is_disabled, roles=names, **members_of(user))
