"""Which clients took part in a browser session, and how they want to hear of its end."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, or_, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import table_of
from oidc_server.domain.clients import ClientRow
from oidc_server.domain.grants import Grant


@dataclass(frozen=True, slots=True)
class SessionClient:
    """A client that wants to be told, with the `sub` and `sid` by which it knows the session."""

    client_id: str
    sub: str
    sid: str
    backchannel_logout_uri: str | None
    frontchannel_logout_uri: str | None


_grants = table_of(Grant)
_clients = table_of(ClientRow)
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


def find(db: Transaction, session_id: str) -> list[SessionClient]:
    """The clients of a session that named an address for it, in one read.

    Grants that were revoked or that outlive the session count too: the client's own session began
    with the person's (Back-Channel Logout §2.7).
    """
    return [SessionClient(*row) for row in db.all(_FIND, of_session=session_id)]
