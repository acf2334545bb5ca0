"""GET and POST /authorize, and its resume route: the dispatcher. Every step comes back here."""

from oidc_server.authorization.next_step import (
    AskConsent,
    Issue,
    LogIn,
    Refuse,
    SelectAccount,
    SignUp,
    next_step,
)
from oidc_server.authorization.request import Trusted, UntrustedRequestError, trust, validate
from oidc_server.authorization.response import (
    authorization_error,
    authorization_response,
    untrusted_page,
)
from oidc_server.authorization.stored import trusted_again
from oidc_server.domain import authorization_requests, consents, user_sessions
from oidc_server.domain.authorization_requests import AuthorizationRequest, RequestGoneError
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.vocabulary import prompts
from oidc_server.web.context import Context
from oidc_server.web.incoming import Params
from oidc_server.web.responses import Response


def authorize(ctx: Context) -> Response:
    """Authorization endpoint (RFC 6749 §3.1, Core §3.1.2)."""
    try:
        trusted, request = _read(ctx, ctx.query)
    except UntrustedRequestError as error:
        return untrusted_page(ctx, error)
    except _Invalid as invalid:
        return authorization_error(ctx, invalid.trusted, invalid.error)

    return advance(ctx, trusted, request)


def authorize_by_post(ctx: Context) -> Response:
    """The same by POST (Core §3.1.2.1). The request is kept and resumed by GET.

    A post from another site carries no Lax cookies: only the GET that follows shows who is there.
    """
    try:
        _, request = _read(ctx, ctx.incoming.everything)
    except UntrustedRequestError as error:
        return untrusted_page(ctx, error)
    except _Invalid as invalid:
        return authorization_error(ctx, invalid.trusted, invalid.error)

    stored = authorization_requests.store(
        ctx.db,
        request,
        browser=None,
        lifetime=ctx.runtime.settings.authorization_request_lifetime,
    )
    return ctx.redirect("authorization.resume", request_id=stored.id)


def resume(ctx: Context) -> Response:
    """Where login and consent come back to."""
    request_id = ctx.incoming.path_params["request_id"]
    request = authorization_requests.adopt(ctx.db, request_id, ctx.browser, ctx.now)
    if request is None:
        raise RequestGoneError
    try:
        trusted = trusted_again(ctx.db, request)
    except UntrustedRequestError as error:
        return untrusted_page(ctx, error)

    return advance(ctx, trusted, request)


def advance(ctx: Context, trusted: Trusted, request: AuthorizationRequest) -> Response:
    """Take the request one step further."""
    session = ctx.user_session
    consented: frozenset[str] = frozenset()
    if session is not None:
        user_sessions.touch(ctx.db, session, ctx.now, ctx.runtime.settings.session_idle_lifetime)
        consented = consents.find_scopes(ctx.db, session.user_id, request.client_id)

    match next_step(request, trusted.client, session, consented):
        case LogIn(reason):
            request = _keep(ctx, request)
            return ctx.redirect("authentication.login", request_id=request.id, reason=reason.value)
        case SignUp():
            request = _keep(ctx, request)
            return ctx.redirect("authentication.sign_up", request_id=request.id)
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


class _Invalid(Exception):  # noqa: N818 - carries an OAuth error to its answer
    """A request that may be answered, with an error."""

    def __init__(self, trusted: Trusted, error: OAuth2Error) -> None:
        super().__init__(error.error)
        self.trusted = trusted
        self.error = error


def _read(ctx: Context, params: Params) -> tuple[Trusted, AuthorizationRequest]:
    """Raises `UntrustedRequestError` or `_Invalid`."""
    trusted = trust(ctx.db, params)
    try:
        request = validate(
            ctx.db,
            trusted,
            params,
            issuer=ctx.runtime.issuer,
            keys=ctx.runtime.keys,
            now=ctx.now,
            prompts=prompts(sign_up_open=ctx.runtime.settings.sign_up == "open"),
        )
    except OAuth2Error as error:
        raise _Invalid(trusted, error) from None
    return trusted, request
