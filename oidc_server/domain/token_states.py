"""What the database says of an access token at this moment: in one statement, on the hot path."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, exists, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain import clients
from oidc_server.domain.base import table_of
from oidc_server.domain.claims import PERSON_COLUMNS
from oidc_server.domain.clients import ClientRow
from oidc_server.domain.grants import Grant
from oidc_server.domain.revoked_tokens import RevokedToken
from oidc_server.domain.users import User

_grants = table_of(Grant)
_users = table_of(User)
_clients = table_of(ClientRow)
_revoked = table_of(RevokedToken)

_STATE_COLUMNS = (
    _grants.c.client_id,
    _grants.c.user_id,
    _grants.c.pairwise_sub,
    _grants.c.revoked_at,
    _users.c.disabled_at.label("user_disabled_at"),
    _clients.c.disabled_at.label("client_disabled_at"),
    _clients.c.tokens_not_before,
    exists().where(_revoked.c.jti == bindparam("jti")).label("token_revoked"),
)


def _of_grant(*further: Any) -> Select[Any]:
    return (
        select(*_STATE_COLUMNS, *further)
        .select_from(_grants)
        .join(_users, _users.c.id == _grants.c.user_id)
        .join(_clients, _clients.c.client_id == _grants.c.client_id)
        .where(_grants.c.grant_id == bindparam("of_grant"))
    )


_STATE = Statement(_of_grant(_users.c.username, clients.LIVE_REVISION))
_STATE_AND_PERSON = Statement(
    _of_grant(
        _clients.c.revision.label("client_revision"),
        _grants.c.claims.label("requested_claims"),
        *PERSON_COLUMNS,
    )
)
_STATE_OF_CLIENT = Statement(
    select(
        _clients.c.disabled_at.label("client_disabled_at"),
        _clients.c.tokens_not_before,
        exists().where(_revoked.c.jti == bindparam("jti")).label("token_revoked"),
    ).where(_clients.c.client_id == bindparam("of_client"))
)


class TokenState(NamedTuple):
    """Whether a token holds, and of whom it speaks; nobody, if a client acts for itself."""

    holds: bool
    user_id: str | None = None
    sub: str | None = None
    username: str | None = None
    person: Any = None
    """Only if asked for: `PERSON_COLUMNS`, `requested_claims` and `client_revision`."""


_DEAD = TokenState(holds=False)


def find(
    db: Transaction,
    *,
    grant_id: str | None,
    client_id: str,
    jti: str,
    issued_at: datetime,
    with_person: bool = False,
) -> TokenState:
    """Whether an access token still holds: grant, user, client and token, in one read.

    An exchanged token (RFC 8693) has a second client, and costs a second read. Unless the person is
    wanted, the client of the grant is primed.
    """
    if grant_id is None:
        row = db.first(_STATE_OF_CLIENT, of_client=client_id, jti=jti)
    else:
        statement = _STATE_AND_PERSON if with_person else _STATE
        row = db.first(statement, of_grant=grant_id, jti=jti)
    if grant_id is not None and row is not None and not with_person:
        clients.prime(db, row.client_id, row.live_revision)
    if row is None or row.token_revoked or row.client_disabled_at is not None:
        return _DEAD
    if row.tokens_not_before is not None and issued_at < row.tokens_not_before:
        return _DEAD
    if grant_id is None:
        return TokenState(holds=True)
    if row.revoked_at is not None or row.user_disabled_at is not None:
        return _DEAD
    if row.client_id != client_id:
        of_holder = find(db, grant_id=None, client_id=client_id, jti=jti, issued_at=issued_at)
        if not of_holder.holds:
            return _DEAD
    return TokenState(
        holds=True,
        user_id=row.user_id,
        sub=row.pairwise_sub or row.user_id,
        username=row.username,
        person=row if with_person else None,
    )
