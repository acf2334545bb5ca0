"""How an authorization request is answered: the one place that builds a redirect to a client."""

from datetime import timedelta
from urllib.parse import urlsplit

from oidc_server.authorization.request import Trusted
from oidc_server.domain import authorization_requests, grants, subjects
from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.clients import Client
from oidc_server.domain.consents import Permission, unasked
from oidc_server.domain.factors.strength import acr_to_tell
from oidc_server.domain.grants import Authorization, CodeTerms
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.errors import as_description
from oidc_server.oauth2.redirects import encode, with_query
from oidc_server.oauth2.vocabulary import ResponseMode
from oidc_server.people.client_view import view_of
from oidc_server.security.jose import SigningKey
from oidc_server.web.context import Context
from oidc_server.web.responses import Response, see_other

_SIGNED_LIFETIME = timedelta(minutes=5)
"""For clocks that differ: the code in it ends sooner."""


def authorization_response(
    ctx: Context, trusted: Trusted, request: AuthorizationRequest, session: LiveSession
) -> Response:
    """Issue the code (RFC 6749 §4.1.2)."""
    signer = _signer(ctx, trusted)
    _complete(ctx, request.id)
    settings = ctx.runtime.settings
    authorization = Authorization(
        user_id=session.user_id,
        pairwise_sub=subjects.pairwise_sub(ctx.db, trusted.client, session.user_id, ctx.now),
        client_id=request.client_id,
        session_id=session.id,
        sid=subjects.sid_for(trusted.client, session),
        scopes=request.scopes,
        resources=frozenset(request.resources),
        nonce=request.nonce,
        claims=request.claims,
        auth_time=session.auth_time,
        amr=session.amr,
        acr=acr_to_tell(session.acr, request.asked_acrs),
    )
    terms = CodeTerms(
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        expires_at=ctx.now + settings.authorization_code_lifetime,
        dpop_jkt=request.dpop_jkt,
    )
    code = grants.mint_code(
        ctx.db,
        authorization,
        terms,
        ctx.now,
        settings.refresh_token_absolute_lifetime,
        needs_consent=_needs_consent(ctx, trusted.client, request),
    )
    return _deliver(ctx, trusted, [("code", code)], signer)


def _needs_consent(ctx: Context, client: Client, request: AuthorizationRequest) -> bool:
    """Whether it is given because the person said so, now or before."""
    for_nothing = unasked(ctx.runtime.issuer)
    return not client.metadata.skip_consent and not for_nothing.covers(Permission.asked_by(request))


def authorization_error(
    ctx: Context, trusted: Trusted, error: OAuth2Error, request_id: str | None = None
) -> Response:
    """Tell the client (RFC 6749 §4.1.2.1). Only a `Trusted` says where to."""
    signer = _signer(ctx, trusted)
    _complete(ctx, request_id)
    params = [("error", error.error)]
    if error.description:
        params.append(("error_description", as_description(error.description)))
    return _deliver(ctx, trusted, params, signer).refusing(error.error)


def _complete(ctx: Context, request_id: str | None) -> None:
    """A stored request is answered once; raises `RequestGoneError` if somebody else has."""
    if request_id is not None and not authorization_requests.complete(ctx.db, request_id, ctx.now):
        raise authorization_requests.RequestGoneError


def _deliver(
    ctx: Context, trusted: Trusted, params: list[tuple[str, str]], signer: SigningKey | None
) -> Response:
    """Send parameters to the client, always with `state` and `iss` (RFC 9207)."""
    if trusted.state is not None:
        params.append(("state", trusted.state))
    params.append(("iss", ctx.runtime.issuer))
    if signer is not None:
        params = [("response", _signed(ctx, trusted.client, dict(params), signer))]
    uri, carrier = trusted.redirect_uri, trusted.response_mode.carrier
    if carrier == ResponseMode.FORM_POST:
        return _form_post(ctx, trusted, params)
    if carrier == ResponseMode.FRAGMENT:
        location = f"{uri}#{encode(params)}"
    else:
        location = with_query(uri, params)
    if urlsplit(uri).scheme in ("http", "https"):
        return see_other(location)
    return ctx.render(
        "authorization/leave.html", client=view_of(trusted.client, uri), href=location
    )


def _signer(ctx: Context, trusted: Trusted) -> SigningKey | None:
    """What signs the response, if one is to: found before a code is made, since it may fail."""
    if not trusted.response_mode.is_signed:
        return None
    ctx.runtime.keys.refresh(ctx.db, ctx.now)
    return ctx.runtime.keys.signer(trusted.client.metadata.authorization_alg, ctx.now)


def _signed(ctx: Context, client: Client, params: dict[str, str], signer: SigningKey) -> str:
    """The parameters as one JWT (JARM §2.1)."""
    expires_at = ctx.now + _SIGNED_LIFETIME
    claims = {**params, "aud": client.client_id, "exp": int(expires_at.timestamp())}
    # Without a type, nothing of ours takes it for an ID Token (RFC 8725 §3.11).
    return signer.sign(claims, typ=None)


def _form_post(ctx: Context, trusted: Trusted, params: list[tuple[str, str]]) -> Response:
    """A form that sends itself, with a button where scripts are off (Form Post §2)."""
    view = view_of(trusted.client, trusted.redirect_uri)
    return ctx.render(
        "authorization/form_post.html",
        form_targets=(view.form_target,),
        client=view,
        action=trusted.redirect_uri,
        params=params,
    )
