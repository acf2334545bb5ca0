"""GET and POST /authorize, and its resume route: the dispatcher. Every step comes back here."""

from oidc_server.authorization.next_step import (
    AskConsent,
    Issue,
    LogIn,
    Refuse,
    SelectAccount,
    SignUp,
    StepUp,
    next_step,
)
from oidc_server.authorization.request import (
    RefusedRequestError,
    Trusted,
    read,
)
from oidc_server.authorization.response import (
    authorization_error,
    authorization_response,
)
from oidc_server.authorization.stored import is_pushed, open_pushed, trusted_again
from oidc_server.domain import (
    authorization_requests,
    consents,
    factors,
    user_sessions,
    visits,
)
from oidc_server.domain.authorization_requests import AuthorizationRequest, RequestGoneError
from oidc_server.domain.consents import unasked
from oidc_server.domain.factors.strength import ACR_VALUES, included, reachable_acr
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.people import second_factors
from oidc_server.people.untrusted_request import UntrustedRequestError, untrusted_page
from oidc_server.web import cookies
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def authorize(ctx: Context) -> Response:
    """Authorization endpoint (RFC 6749 §3.1, Core §3.1.2)."""
    if is_pushed(ctx.query):
        return _open_pushed(ctx)
    _prefetch(ctx, next(iter(ctx.query.all("client_id")), None))  # `read` refuses several
    try:
        trusted, request = read(ctx, ctx.query)
    except UntrustedRequestError as error:
        return untrusted_page(ctx, error)
    except RefusedRequestError as refused:
        return authorization_error(ctx, refused.trusted, refused.error)

    return advance(ctx, trusted, request)


def authorize_by_post(ctx: Context) -> Response:
    """The same by POST (Core §3.1.2.1). The request is kept and resumed by GET.

    A post from another site carries no Lax cookies: only the GET that follows shows who is there.
    """
    params = ctx.incoming.everything
    if is_pushed(params):
        # Nothing is done here: the GET that follows says which browser it is.
        return ctx.redirect(
            "authorization.authorize",
            client_id=params.get("client_id"),
            request_uri=params.get("request_uri"),
        )
    try:
        _, request = read(ctx, params)
    except UntrustedRequestError as error:
        return untrusted_page(ctx, error)
    except RefusedRequestError as refused:
        return authorization_error(ctx, refused.trusted, refused.error)

    stored = authorization_requests.store(
        ctx.db,
        request,
        browser=None,
        lifetime=ctx.runtime.settings.authorization_request_lifetime,
    )
    return ctx.redirect("authorization.resume", request_id=stored.id)


def _open_pushed(ctx: Context) -> Response:
    """Whatever else stands in the query is ignored (RFC 9126 §4)."""
    try:
        trusted, request = open_pushed(ctx, ctx.query)
    except UntrustedRequestError as error:
        return untrusted_page(ctx, error)

    return advance(ctx, trusted, request)


def resume(ctx: Context) -> Response:
    """Where login and consent come back to."""
    request_id = ctx.incoming.path_params["request_id"]
    request = authorization_requests.adopt(ctx.db, request_id, ctx.browser, ctx.now)
    if request is None:
        raise RequestGoneError
    ctx.ui_locales = request.ui_locales
    _prefetch(ctx, request.client_id)
    try:
        trusted = trusted_again(ctx.db, request)
    except UntrustedRequestError as error:
        return untrusted_page(ctx, error)

    return advance(ctx, trusted, request)


def advance(ctx: Context, trusted: Trusted, request: AuthorizationRequest) -> Response:
    """Take the request one step further."""
    session = ctx.user_session
    consented = unasked(ctx.runtime.issuer)
    if session is not None:
        user_sessions.touch(ctx.db, session, ctx.now, ctx.runtime.settings.session_idle_lifetime)
        consented |= consents.find(ctx.db, session.user_id, trusted.client)

    reachable = _reachable_acrs(ctx, request, session)
    owes = session is not None and second_factors.are_owed_by(ctx, session)
    match next_step(request, trusted.client, session, consented, reachable, owes_factor=owes):
        case LogIn(reason):
            request = _keep(ctx, request)
            return ctx.redirect("authentication.login", request_id=request.id, reason=reason.value)
        case SignUp():
            request = _keep(ctx, request)
            return ctx.redirect("authentication.sign_up", request_id=request.id)
        case StepUp():
            request = _keep(ctx, request)
            return ctx.redirect("authentication.step_up", request_id=request.id)
        case SelectAccount():
            request = _keep(ctx, request)
            return ctx.redirect("authentication.select_account", request_id=request.id)
        case AskConsent():
            request = _keep(ctx, request)
            return ctx.redirect("authorization.consent", request_id=request.id or "")
        case Issue(live):
            return authorization_response(ctx, trusted, request, live)
        case Refuse(error):
            return authorization_error(ctx, trusted, error, request.id)


def _prefetch(ctx: Context, client_id: str | None) -> None:
    """Read client, session and consent in one statement if this browser has a session cookie."""
    handle = ctx.runtime.cookies.read(ctx.incoming, cookies.SESSION)
    if client_id is not None and handle is not None:
        visits.prefetch(ctx.db, client_id, handle, ctx.now)


def _reachable_acrs(
    ctx: Context, request: AuthorizationRequest, session: LiveSession | None
) -> tuple[str, ...]:
    """What this person can reach; only asked where the session alone does not settle it."""
    if session is None or not request.asked_acrs:
        return ()
    met = included(session.acr)
    if request.asked_acrs[0] in met or request.wished_acr(ACR_VALUES) is None:
        return met
    return included(reachable_acr(factors.held_by(ctx.db, session.user_id)))


def _keep(ctx: Context, request: AuthorizationRequest) -> AuthorizationRequest:
    """Store the request while its person is away from the dispatcher."""
    if request.id is not None:
        return request
    return authorization_requests.store(
        ctx.db,
        request,
        ctx.browser,
        lifetime=ctx.runtime.settings.authorization_request_lifetime,
    )
