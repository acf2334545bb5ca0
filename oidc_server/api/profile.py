"""What apps may be told of a person (Core §5.1), as the API takes it and tells it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from oidc_server.api.models import Answer, Body
from oidc_server.domain import profiles
from oidc_server.domain.users import User

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


class Person(Answer):
    """What is told of a person, to themselves and to administrators."""

    id: str
    username: str
    email: str | None
    email_verified: bool
    has_password: bool
    name: str | None
    given_name: str | None
    family_name: str | None
    middle_name: str | None
    nickname: str | None
    profile: str | None
    picture: str | None
    website: str | None
    gender: str | None
    birthdate: str | None
    zoneinfo: str | None
    locale: str | None
    phone_number: str | None
    phone_number_verified: bool
    address: dict[str, str] | None
    created_at: datetime
    updated_at: datetime


def members_of(user: User) -> dict[str, Any]:
    """Those of a `Person`, but for the `id`."""
    return {
        "username": user.username,
        "email": user.email,
        "email_verified": user.email_verified_at is not None,
        "has_password": user.password_hash is not None,
        **profiles.claims_of(user),
        "phone_number_verified": user.phone_number_verified_at is not None,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
