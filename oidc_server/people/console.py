"""The account console: pages for whoever is signed in, and nobody else.

Each address of it is made by one of three constructors, which ask for the sign-in. Whoever has none
is sent to get one, and comes back.
"""

import re
from typing import Any

from oidc_server.database import Access
from oidc_server.domain import user_sessions
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.people import second_factors
from oidc_server.web import kinds, responses
from oidc_server.web.context import Context
from oidc_server.web.endpoint import Before, Endpoint, Handler
from oidc_server.web.load.rate_limit import PAGES, Limit
from oidc_server.web.responses import Response

_OURS = re.compile(
    r"(?=.{1,200}\Z)(/account|/admin)(/[A-Za-z0-9_-]+)*|/verify-email"
    r"|/login/providers/connect/[0-9a-f-]{36}|/forward-auth/back/[A-Za-z0-9_-]{1,1400}",
    re.ASCII,
)


def page(
    show: Handler,
    *,
    access: Access = "read",
    before: Before | None = None,
    limit: Limit | None = PAGES,
    sensitive: bool = False,
) -> Endpoint:
    """A page of the console that is only read."""
    return kinds.page(
        _guarded(show, sensitive=sensitive),
        access=access,
        before=before and _only_if_let_in(before, sensitive=sensitive),
        limit=limit,
    )


def form(
    show: Handler,
    submit: Handler,
    *,
    before: Before | None = None,
    limit: Limit | None = PAGES,
    sensitive: bool = False,
) -> Endpoint:
    """A page of the console with a form.

    What is `sensitive` changes how a person signs in, or gives all they have away: whoever is asked
    for a second factor at each sign-in shows it first, if they did not just do so
    (`second_factors.must_step_up`).
    """
    return kinds.form(
        _guarded(show, sensitive=sensitive),
        _guarded(submit, sensitive=sensitive, proven=before is not None),
        before=before and _only_if_let_in(before, sensitive=sensitive),
        limit=limit,
    )


def action(
    submit: Handler,
    *,
    page: str,
    before: Before | None = None,
    limit: Limit | None = PAGES,
    sensitive: bool = False,
) -> Endpoint:
    """Where a button of the page with the route name `page` posts to."""
    return kinds.action(
        _guarded(submit, sensitive=sensitive, proven=before is not None),
        page=page,
        before=before and _only_if_let_in(before, sensitive=sensitive),
        limit=limit,
    )


def get_session(ctx: Context) -> LiveSession:
    """The session of this browser, which handlers of the console can rely on."""
    session = ctx.user_session
    if session is None:
        raise LookupError("nobody is signed in")
    return session


def render(ctx: Context, template: str, **values: Any) -> Response:
    """A page of the console, with what all of them show (`templates/account/layout.html`)."""
    shown = {"user": get_session(ctx), "notice": ctx.query.get("notice"), **values}
    return ctx.render(template, **shown)


def way_back(path: str | None) -> str | None:
    """The path of a page of ours that somebody may come back to after signing in, or None.

    Anything else that could stand there would send people away in our name (RFC 9700 §4.11).
    """
    if path is None or not _OURS.fullmatch(path):
        return None
    return path


def _guarded(handler: Handler, *, sensitive: bool = False, proven: bool = False) -> Handler:
    """The handler, for whoever may come so far; `proven` if it relies on what `before` found out.

    Somebody who was not let in by `before`, and is now, proves it on the page once more: a factor
    was removed in between, say.
    """

    def guarded(ctx: Context) -> Response:
        session = ctx.user_session
        if session is None:
            is_home = ctx.page == ctx.path("account.overview")
            return_to = None if is_home else way_back(ctx.page)
            return ctx.redirect("authentication.login", return_to=return_to)
        if sensitive and second_factors.must_step_up(ctx, session):
            return ctx.redirect("authentication.step_up", return_to=way_back(ctx.page))
        if proven and ctx.proof is None:
            return responses.see_other(f"{ctx.page}?notice=prove_again")
        response = handler(ctx)
        # The handler may lock the row of the person, which comes first (ADR 0024).
        if ctx.incoming.method == "POST":
            idle = ctx.runtime.settings.session_idle_lifetime
            user_sessions.touch(ctx.db, session, ctx.now, idle)
        return response

    return guarded


def _only_if_let_in(before: Before, *, sensitive: bool = False) -> Before:
    def ahead(ctx: Context) -> Any:
        session = ctx.user_session
        if session is None or (sensitive and second_factors.must_step_up(ctx, session)):
            return None
        return before(ctx)

    return ahead
