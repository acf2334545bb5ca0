"""Sessions and grants: who is signed in where, what clients may do for whom, and the end of it."""

from datetime import datetime
from typing import Any

from pydantic import Field

from oidc_server.api.access import administration, may_touch
from oidc_server.api.lists import PageQuery, page_of, read_id_cursor
from oidc_server.api.models import Answer, UserId
from oidc_server.api.operations import Call, Operation
from oidc_server.domain import endings, grants, roles, sessions_and_grants
from oidc_server.domain.audit import Event
from oidc_server.domain.base import parse_id
from oidc_server.domain.sessions_and_grants import LiveGrant, OpenSession
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import ProblemError, types
from oidc_server.web.responses import Response, empty


class SessionsQuery(PageQuery):
    """Whose sessions: those of a person, or of everybody."""

    user_id: UserId | None = None


class GrantsQuery(PageQuery):
    """Whose grants: those of a person, to a client, of a person to a client, or all."""

    user_id: UserId | None = None
    client_id: str | None = Field(default=None, min_length=1, max_length=100)


class SessionAnswer(Answer):
    """A browser that is signed in."""

    id: str
    user_id: str
    amr: list[str]
    acr: str | None
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    """When it ends if nobody uses it any more."""
    address: str
    user_agent: str


class SessionsPage(Answer):
    """A page of sessions, newest first."""

    sessions: list[SessionAnswer]
    next_cursor: str | None


class GrantAnswer(Answer):
    """What a client may do for a person."""

    grant_id: str
    user_id: str
    client_id: str
    session_id: str | None
    scopes: list[str]
    resources: list[str]
    auth_time: datetime
    created_at: datetime
    expires_at: datetime


class GrantsPage(Answer):
    """A page of grants, newest first."""

    grants: list[GrantAnswer]
    next_cursor: str | None


def list_sessions(call: Call) -> SessionsPage:
    """Those that go on."""
    query, ctx = call.query, call.ctx

    found = sessions_and_grants.sessions(
        ctx.db,
        ctx.now,
        limit=query.limit + 1,
        user_id=query.user_id,
        before=read_id_cursor(query.cursor),
    )

    page, cursor = page_of(found, query.limit, lambda session: (session.id,))
    return SessionsPage(sessions=[_session(session) for session in page], next_cursor=cursor)


def end_session(call: Call) -> Response:
    """End it as signing out would: clients that want to hear of it are told."""
    ctx, session_id = call.ctx, parse_id(call.path["session_id"])
    session = session_id and sessions_and_grants.find_session(ctx.db, session_id, ctx.now)
    if not isinstance(session, OpenSession):
        raise ProblemError(types.NOT_FOUND, "There is no such session.")
    _require_as_much(call, session.user_id)

    endings.end_session(ctx.db, session.id, ctx.now)

    call.ctx.record(Event.SIGNED_OUT, user_id=session.user_id, session_id=session.id)
    return empty(204)


def list_grants(call: Call) -> GrantsPage:
    """Those that hold."""
    query, ctx = call.query, call.ctx

    found = sessions_and_grants.grants(
        ctx.db,
        ctx.now,
        limit=query.limit + 1,
        user_id=query.user_id,
        client_id=query.client_id,
        before=read_id_cursor(query.cursor),
    )

    page, cursor = page_of(found, query.limit, lambda grant: (grant.grant_id,))
    return GrantsPage(grants=[_grant(grant) for grant in page], next_cursor=cursor)


def revoke_grant(call: Call) -> Response:
    """Every token that came of it is dead from here on."""
    ctx, grant_id = call.ctx, parse_id(call.path["grant_id"])
    grant = grant_id and sessions_and_grants.find_grant(ctx.db, grant_id, ctx.now)
    if not isinstance(grant, LiveGrant):
        raise ProblemError(types.NOT_FOUND, "There is no such grant.")
    _require_as_much(call, grant.user_id)

    grants.revoke(ctx.db, grant.grant_id, ctx.now)

    call.ctx.record(
        Event.GRANT_REVOKED,
        user_id=grant.user_id,
        client_id=grant.client_id,
        grant_id=grant.grant_id,
    )
    return empty(204)


def _require_as_much(call: Call, user_id: str) -> None:
    may_touch(call.caller, roles.held_by(call.ctx.db, user_id))


def _session(session: OpenSession) -> SessionAnswer:
    return SessionAnswer(
        id=session.id,
        user_id=session.user_id,
        amr=sorted(session.amr),
        acr=session.acr,
        auth_time=session.auth_time,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        expires_at=min(session.idle_expires_at, session.expires_at),
        address=session.address,
        user_agent=session.user_agent,
    )


def _grant(grant: LiveGrant) -> GrantAnswer:
    return GrantAnswer(
        grant_id=grant.grant_id,
        user_id=grant.user_id,
        client_id=grant.client_id,
        session_id=grant.session_id,
        scopes=sorted(grant.scopes),
        resources=sorted(grant.resources),
        auth_time=grant.auth_time,
        created_at=grant.created_at,
        expires_at=grant.expires_at,
    )


_USER = "3f0e9c1a-6f54-4f5e-9c1b-2a7d8e0b4c55"
_ID = "019b8d62-7a80-73a1-acf1-88f9fcf744e7"
_CLIENT = "bXktY2xpZW50LWlkLWlzLTE"
_TIMES = {"auth_time": "2026-01-05T09:00:00Z", "created_at": "2026-01-05T09:00:00Z"}
_SESSION: dict[str, Any] = {
    "id": _ID,
    "user_id": _USER,
    "amr": ["pwd"],
    "acr": "urn:oidc-server:acr:password",
    **_TIMES,
    "last_seen_at": "2026-01-05T09:30:00Z",
    "expires_at": "2026-01-05T21:30:00Z",
    "address": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
}
_GRANT: dict[str, Any] = {
    "grant_id": _ID,
    "user_id": _USER,
    "client_id": _CLIENT,
    "session_id": None,
    "scopes": ["openid", "profile"],
    "resources": [],
    **_TIMES,
    "expires_at": "2026-02-04T09:00:00Z",
}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/admin/sessions",
        name="admin_api.sessions",
        summary="List sessions, newest first",
        description="Those that go on, of one user or of everybody.",
        rule=administration(ApiScope.SESSIONS_READ),
        handler=list_sessions,
        query=SessionsQuery,
        answer=SessionsPage,
        query_example={"user_id": _USER, "limit": 50},
        answer_example={"sessions": [_SESSION], "next_cursor": None},
    ),
    Operation(
        method="DELETE",
        path="/api/v1/admin/sessions/{session_id}",
        name="admin_api.end_session",
        summary="End a session",
        description="As if the person had signed out: grants without offline access end with it,"
        " and clients that want to hear of it are told.",
        rule=administration(ApiScope.SESSIONS_WRITE),
        handler=end_session,
        status=204,
    ),
    Operation(
        method="GET",
        path="/api/v1/admin/grants",
        name="admin_api.grants",
        summary="List grants, newest first",
        description="Those that hold: of a user, of a client, of a user to a client, or all.",
        rule=administration(ApiScope.GRANTS_READ),
        handler=list_grants,
        query=GrantsQuery,
        answer=GrantsPage,
        query_example={"user_id": _USER, "client_id": _CLIENT, "limit": 50},
        answer_example={"grants": [_GRANT], "next_cursor": None},
    ),
    Operation(
        method="DELETE",
        path="/api/v1/admin/grants/{grant_id}",
        name="admin_api.revoke_grant",
        summary="Revoke a grant",
        description="Every token that came of it is dead from the next request on. What the person"
        " allowed the client is remembered; it may ask again.",
        rule=administration(ApiScope.GRANTS_WRITE),
        handler=revoke_grant,
        status=204,
    ),
)
