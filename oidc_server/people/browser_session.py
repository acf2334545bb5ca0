"""The session of a browser: begun by a sign-in, renewed, held, and ended by signing out."""

from datetime import datetime

from oidc_server.database import ConflictError
from oidc_server.domain import attempts, endings, user_sessions
from oidc_server.domain.audit import Event
from oidc_server.domain.factors.strength import acr_of
from oidc_server.domain.session_clients import SessionClient
from oidc_server.domain.user_sessions import LiveSession, SessionLifetimes
from oidc_server.web.context import Context


def sign_in(
    ctx: Context,
    user_id: str,
    amr: frozenset[str],
    *,
    stepping_up: bool = False,
    auth_time: datetime | None = None,
) -> bool:
    """Start a session, or renew that of the same person; the old cookie is dead.

    An account that waits for its deletion is reopened. `stepping_up` makes a session stronger,
    which keeps its end. Sessions beyond `OIDC_SESSIONS_PER_USER` are ended, the least recently used
    first. `auth_time` is when the person proved themselves, if that was not just now but elsewhere.
    Returns whether this browser is new to an account that knows others. Raises `ConflictError` if
    the session that is renewed has just been ended, so that the request runs again without it.
    """
    db, now = ctx.db, ctx.now
    if endings.bring_back(db, user_id, now):
        ctx.record(Event.DELETION_CANCELLED, user_id=user_id)
    handle = _start_or_renew(ctx, user_id, amr, auth_time, keep_end=stepping_up)
    session = user_sessions.find(db, handle, now)
    if session is None:
        raise ConflictError("the session or the account was ended")
    ctx.keep_session(session, handle)
    # The browser comes first: of simultaneous sign-ins each then sees the sessions before it.
    is_new_browser = attempts.remember_browser(db, user_id, ctx.browser, now)
    endings.end_surplus_sessions(db, user_id, ctx.runtime.settings.sessions_per_user, now)
    return is_new_browser


def _start_or_renew(
    ctx: Context,
    user_id: str,
    amr: frozenset[str],
    auth_time: datetime | None,
    *,
    keep_end: bool,
) -> str:
    settings, session, acr = ctx.runtime.settings, ctx.user_session, acr_of(amr)
    lifetimes = SessionLifetimes(settings.session_idle_lifetime, settings.session_absolute_lifetime)
    if session is not None and session.user_id == user_id:
        return user_sessions.renew(
            ctx.db,
            session,
            amr=amr,
            acr=acr,
            now=ctx.now,
            lifetimes=lifetimes,
            keep_end=keep_end,
            auth_time=auth_time,
        )
    if session is not None:
        endings.end_session(ctx.db, session.id, ctx.now)
    return user_sessions.start(
        ctx.db,
        user_id,
        amr=amr,
        acr=acr,
        now=ctx.now,
        lifetimes=lifetimes,
        origin=ctx.origin,
        auth_time=auth_time,
    )


def change_cookie(ctx: Context, session: LiveSession) -> None:
    """Let the session of this browser go on under another cookie; the old one is dead."""
    ctx.keep_session(session, user_sessions.rotate(ctx.db, session))


def hold(ctx: Context) -> None:
    """Lock the session of this browser: whoever ends it waits for what is added in it.

    Raises `ConflictError` if it has just been ended, so that the request runs again without it.
    """
    if ctx.user_session is not None:
        user_sessions.hold(ctx.db, ctx.user_session.id)


def sign_out(ctx: Context) -> list[SessionClient]:
    """End the session of this browser and forget its cookie; returns who wants to be told."""
    session = ctx.user_session
    told = [] if session is None else endings.end_session(ctx.db, session.id, ctx.now)
    ctx.drop_session()
    return told
