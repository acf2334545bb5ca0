"""Finding people: by whatever names one of them, and page by page.

A page costs the same however many people there are: it walks one index, and looks at a limited
number of rows. So where a filter leaves few, a page may hold less than was asked for, even nothing,
and still say where to go on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, select, tuple_

from oidc_server.database import Transaction
from oidc_server.domain import credentials, identifiers, roles, users
from oidc_server.domain.base import AFTER_ALL, parse_id, table_of
from oidc_server.domain.roles import RoleAssignment
from oidc_server.domain.users import User

_MOST_EXAMINED = 1000

_assignments = table_of(RoleAssignment)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a list shall show: everybody, unless something is said."""

    search: str | None = None
    """The beginning of a username or an address."""
    role: str | None = None
    disabled: bool | None = None
    verified: bool | None = None


class Place(NamedTuple):
    """Where a page ended: in which walk, at which key, at whom."""

    walk: str
    key: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the people, and where the next page begins; None at the end."""

    users: list[User]
    next: Place | None


def id_of(db: Transaction, named: str) -> str | None:
    """The id of who has this username or verified address; an id itself, whoever's it is."""
    user_id = parse_id(named)
    if user_id is None:
        found = credentials.find_by_name(db, named)
        user_id = found.id if found else None
    return user_id


def find(db: Transaction, named: str) -> User | None:
    """The person with this id, username or verified address; nobody whose account was deleted."""
    user_id = id_of(db, named)
    user = users.find(db, user_id) if user_id is not None else None
    return user if user is not None and user.deleted_at is None else None


def is_place(wanted: Wanted, place: Place) -> bool:
    """Whether a list of these people can have ended here."""
    walks = {walk.name for walk in _walks(wanted)}
    return place.walk in walks and parse_id(place.user_id) == place.user_id


def page(db: Transaction, wanted: Wanted, limit: int, after: Place | None = None) -> Page:
    """People from `after` on: by username, then those whose address alone fits the search.

    With a role, by id. `after` has to be a place of such a list (`is_place`).
    """
    walks = _walks(wanted)
    found: list[tuple[User, Place]] = []
    examined = 0
    begun = [walk.name for walk in walks].index(after.walk) if after is not None else 0
    for walk in walks[begun:]:
        while True:
            batch = walk.batch(db, wanted, after, limit + 1)
            for user, place in batch:
                if user.deleted_at is None and walk.fits(user, wanted):
                    found.append((user, place))
                if len(found) > limit:
                    return Page([user for user, _ in found[:limit]], found[limit - 1][1])
                after = place
            examined += len(batch)
            if len(batch) <= limit:
                break
            if examined >= _MOST_EXAMINED:
                return Page([user for user, _ in found], after)
        after = None
    return Page([user for user, _ in found], None)


def roles_of_all(db: Transaction, people: list[User]) -> dict[str, list[str]]:
    """The names of the roles of each of these people, in one read."""
    told: dict[str, list[str]] = {user.id: [roles.USER] for user in people}
    rows = db.session.execute(
        select(_assignments.c.user_id, _assignments.c.role).where(
            _assignments.c.user_id.in_(list(told))
        )
    )
    for user_id, role in rows:
        told[user_id].append(role)
    return {user_id: sorted(names) for user_id, names in told.items()}


@dataclass(frozen=True, slots=True)
class _Walk:
    """One index in its order, and what is left to look at in each row."""

    name: str
    statement: Callable[[Wanted, Place | None], Select[Any]]
    place: Callable[[User], Place]
    fits: Callable[[User, Wanted], bool]

    def batch(
        self, db: Transaction, wanted: Wanted, after: Place | None, limit: int
    ) -> list[tuple[User, Place]]:
        rows = db.session.scalars(self.statement(wanted, after).limit(limit))
        return [(user, self.place(user)) for user in rows]


def by_username(wanted: Wanted, after: Place | None) -> Select[Any]:
    """Along the names; only disabled or only unverified ones have an index of their own."""
    statement = select(User).order_by(User.canonical_username)
    if wanted.search:
        prefix = _prefix(wanted)
        statement = statement.where(
            User.canonical_username >= prefix, User.canonical_username < prefix + AFTER_ALL
        )
    if wanted.disabled:
        statement = statement.where(User.disabled_at.is_not(None))
    elif wanted.verified is False:
        statement = statement.where(User.email_verified_at.is_(None))
    if after is not None:
        statement = statement.where(User.canonical_username > after.key)
    return statement


def by_email(wanted: Wanted, after: Place | None) -> Select[Any]:
    """Along the addresses, which several people may claim."""
    prefix = _prefix(wanted)
    statement = (
        select(User)
        .where(User.canonical_email >= prefix, User.canonical_email < prefix + AFTER_ALL)
        .order_by(User.canonical_email, User.id)
    )
    if after is not None:
        beyond = tuple_(User.canonical_email, User.id) > tuple_(after.key, after.user_id)
        statement = statement.where(beyond)
    return statement


def by_role(wanted: Wanted, after: Place | None) -> Select[Any]:
    """Along those who have the role."""
    statement = (
        select(User)
        .join(_assignments, _assignments.c.user_id == User.id)
        .where(_assignments.c.role == wanted.role)
        .order_by(_assignments.c.user_id)
    )
    if after is not None:
        statement = statement.where(and_(_assignments.c.user_id > after.user_id))
    return statement


def _walks(wanted: Wanted) -> list[_Walk]:
    if wanted.role not in (None, roles.USER):
        return [_BY_ROLE]
    return [_BY_USERNAME, _BY_EMAIL] if wanted.search else [_BY_USERNAME]


def _prefix(wanted: Wanted) -> str:
    return identifiers.folded(wanted.search or "")


def _has_state(user: User, wanted: Wanted) -> bool:
    return wanted.disabled in (None, user.disabled_at is not None) and wanted.verified in (
        None,
        user.email_verified_at is not None,
    )


def _is_found(user: User, wanted: Wanted) -> bool:
    names = (user.canonical_username, user.canonical_email or "")
    return _has_state(user, wanted) and any(name.startswith(_prefix(wanted)) for name in names)


def _is_found_by_email_alone(user: User, wanted: Wanted) -> bool:
    """The others were shown on the walk along the names."""
    by_name = user.canonical_username.startswith(_prefix(wanted))
    return _has_state(user, wanted) and not by_name


_BY_USERNAME = _Walk(
    "username",
    by_username,
    lambda user: Place("username", user.canonical_username, user.id),
    _has_state,
)
_BY_EMAIL = _Walk(
    "email",
    by_email,
    lambda user: Place("email", user.canonical_email or "", user.id),
    _is_found_by_email_alone,
)
_BY_ROLE = _Walk("role", by_role, lambda user: Place("role", "", user.id), _is_found)
