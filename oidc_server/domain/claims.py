"""Which claims about a person a client is given: by scopes (Core §5.4), and one by one (§5.5).

Beside the standard ones there is `roles`, as in access tokens (RFC 9068 §2.2.3.1, ADR 0031).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain import profiles, roles
from oidc_server.domain.base import table_of
from oidc_server.domain.users import User

SCOPE_CLAIMS: dict[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
    "roles": ("roles",),
}
CLAIMS_SUPPORTED = (
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "at_hash",
    "sid",
    *(claim for claims in SCOPE_CLAIMS.values() for claim in claims),
)
_SCOPE_OF = {claim: scope for scope, claims in SCOPE_CLAIMS.items() for claim in claims}

Requested = Mapping[str, Any]
"""The `claims` parameter, validated: under `userinfo` and `id_token`, each claim with None or with
`essential`, `value`, `values` (Core §5.5.1)."""

_users = table_of(User)
PERSON_COLUMNS = (
    *[_users.c[claim] for claim in profiles.CLAIMS],
    _users.c.username,
    _users.c.email,
    _users.c.email_verified_at,
    _users.c.phone_number_verified_at,
    _users.c.updated_at,
)
"""What a row must have for claims to be made of it, beside `user_id`."""
_PERSON = Statement(
    select(_users.c.id.label("user_id"), *PERSON_COLUMNS).where(_users.c.id == bindparam("user_id"))
)

_MADE: dict[str, Callable[[Transaction, Any], Any]] = {
    "preferred_username": lambda _db, person: person.username,
    "updated_at": lambda _db, person: int(person.updated_at.timestamp()),
    "roles": lambda db, person: sorted(roles.roles_of(db, person.user_id)),
    "email_verified": lambda _db, person: (
        None if person.email is None else person.email_verified_at is not None
    ),
    "phone_number_verified": lambda _db, person: (
        None if person.phone_number is None else person.phone_number_verified_at is not None
    ),
}
"""Claims that are no column of the same name."""


def userinfo(
    db: Transaction,
    person: Any,
    sub: str,
    scopes: frozenset[str],
    requested: Requested | None,
) -> dict[str, Any]:
    """What userinfo tells (Core §5.3.2): what the scopes give, and what was asked for beside."""
    told: dict[str, Any] = {"sub": sub}
    for scope in SCOPE_CLAIMS.keys() & scopes:
        _tell(db, told, person, SCOPE_CLAIMS[scope])
    if requested is not None:
        _tell(db, told, person, requested.get("userinfo") or ())
    return told


def for_id_token(db: Transaction, user_id: str, requested: Requested | None) -> dict[str, Any]:
    """What an ID Token tells of the person: what was asked for there, and nothing by scope."""
    asked = _SCOPE_OF.keys() & ((requested or {}).get("id_token") or {})
    told: dict[str, Any] = {}
    if asked:
        _tell(db, told, db.first(_PERSON, user_id=user_id), asked)
    return told


def narrow(requested: Requested | None, allowed: frozenset[str]) -> dict[str, Any] | None:
    """The request without the claims whose scope this client may not have."""
    if requested is None:
        return None
    return {
        place: {
            claim: wish
            for claim, wish in (asked or {}).items()
            if _SCOPE_OF.get(claim) in (None, *allowed)
        }
        for place, asked in requested.items()
    }


def scopes_behind(requested: Requested | None) -> frozenset[str]:
    """The scopes that would give these claims: what the person is asked about, and consents to."""
    asked: Iterable[str] = (claim for place in (requested or {}).values() for claim in place or ())
    return frozenset(_SCOPE_OF[claim] for claim in asked if claim in _SCOPE_OF)


def _tell(db: Transaction, told: dict[str, Any], person: Any, claims: Iterable[str]) -> None:
    """Add those of the claims that have a value: none is ever null or empty."""
    for claim in claims:
        if claim in _SCOPE_OF and claim not in told:
            make = _MADE.get(claim)
            value = getattr(person, claim) if make is None else make(db, person)
            if value is not None:
                told[claim] = value
