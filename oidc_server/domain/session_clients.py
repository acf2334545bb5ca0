"""Which clients took part in a browser session, and how they want to hear of its end."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, or_, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import table_of
from oidc_server.domain.clients import ClientRow
from oidc_server.domain.grants import Grant
from oidc_server.domain.user_sessions import UserSession


@dataclass(frozen=True, slots=True)
class SessionClient:
    """A client that wants to be told, with the `sub` and `sid` by which it knows the session.

    `self_registered`: nobody but itself says who it is.
    """

    client_id: str
    sub: str
    sid: str
    backchannel_logout_uri: str | None
    frontchannel_logout_uri: str | None
    self_registered: bool = False


_grants = table_of(Grant)
_clients = table_of(ClientRow)
_sessions = table_of(UserSession)
_metadata = ClientRow.client_metadata
_backchannel = _metadata["backchannel_logout_uri"].as_string()
_frontchannel = _metadata["frontchannel_logout_uri"].as_string()

_FIND = Statement(
    select(
        _grants.c.client_id,
        func.coalesce(_grants.c.pairwise_sub, _grants.c.user_id).label("sub"),
        _grants.c.sid,
        _backchannel.label("backchannel_logout_uri"),
        _frontchannel.label("frontchannel_logout_uri"),
        _clients.c.registration_digest.is_not(None).label("self_registered"),
    )
    .join(_clients, _clients.c.client_id == _grants.c.client_id)
    .where(
        _grants.c.session_id == bindparam("of_session"),
        _clients.c.disabled_at.is_(None),
        or_(_backchannel.is_not(None), _frontchannel.is_not(None)),
    )
    .distinct()
    .order_by(_grants.c.client_id)
)

_NAMES = Statement(
    select(_grants.c.session_id, _metadata["client_name"].as_string().label("name"))
    .join(_clients, _clients.c.client_id == _grants.c.client_id)
    .join(_sessions, _sessions.c.id == _grants.c.session_id)
    .where(
        _sessions.c.user_id == bindparam("of_user"),
        _sessions.c.ended_at.is_(None),
        _clients.c.deleted_at.is_(None),
    )
    .distinct()
    .order_by("name")
)


def find(db: Transaction, session_id: str) -> list[SessionClient]:
    """The clients of a session that named an address for it, in one read.

    Grants that were revoked or that outlive the session count too: the client's own session began
    with the person's (Back-Channel Logout §2.7).
    """
    return [SessionClient(*row) for row in db.all(_FIND, of_session=session_id)]


def names_of_user(db: Transaction, user_id: str) -> dict[str, list[str]]:
    """What the clients are called that each session of a person signed in to, by its id."""
    found: dict[str, list[str]] = {}
    for row in db.all(_NAMES, of_user=user_id):
        found.setdefault(row.session_id, []).append(row.name)
    return found
