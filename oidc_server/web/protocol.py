"""Between HTTP and the protocol kit: the exchange of a request, and how its errors are written."""

import re
from collections.abc import Sequence
from functools import partial

from oidc_server.database import Access
from oidc_server.domain.clients import Client
from oidc_server.domain.token_states import TokenState
from oidc_server.oauth2 import resource_protector
from oidc_server.oauth2.access_tokens import AccessToken
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.dpop import ALGORITHMS, SentProof
from oidc_server.oauth2.errors import (
    AmbiguousTokenError,
    InsufficientScopeError,
    InsufficientUserAuthenticationError,
    InvalidDpopProofError,
    InvalidRegistrationTokenError,
    InvalidTokenError,
    UnprovenTokenError,
    UseDpopNonceError,
    as_description,
)
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.resource_protector import presented_token
from oidc_server.web.context import Context
from oidc_server.web.errors import oauth_error
from oidc_server.web.incoming import Incoming
from oidc_server.web.load.rate_limit import CLIENTS
from oidc_server.web.responses import Response

_MAY_REPEAT = ("resource", "audience")
_DPOP = f'DPoP algs="{" ".join(ALGORITHMS)}"'
_PATH = re.compile(r"/[A-Za-z0-9._~/-]+")
"""Of a resource below us: what needs no escaping in a header."""
_OF_TOKEN = (InvalidTokenError, InsufficientScopeError, AmbiguousTokenError)
_OF_PROOF = (InvalidDpopProofError, UseDpopNonceError)


def exchange_of(ctx: Context) -> Exchange:
    """The exchange of this request; raises `RepeatedParameterError`."""
    form, runtime = ctx.form, ctx.runtime
    parameters = form.single(may_repeat=_MAY_REPEAT)
    runtime.keys.refresh(ctx.db, ctx.now)
    return Exchange(
        db=ctx.db,
        now=ctx.now,
        origin=ctx.origin,
        issuer=runtime.issuer,
        keys=runtime.keys,
        tokens=runtime.tokens,
        client_keys=runtime.client_keys,
        vault=runtime.vault,
        lifetimes=runtime.settings,
        refresh_keys=runtime.refresh_keys,
        authorization=tuple(ctx.incoming.headers("authorization")),
        dpop=sent_proof(ctx),
        admit=partial(_count, ctx),
        form=parameters,
        resources=tuple(form.all("resource")),
        audiences=tuple(form.all("audience")),
    )


def _count(ctx: Context, client: Client) -> None:
    """Count a request against the limit of its client; of a public client, by address too."""
    address = f" {ctx.counted_as}" if client.is_public else ""
    ctx.count(CLIENTS, client.client_id + address)


def protect(
    ctx: Context,
    *,
    scope: str,
    in_body: Sequence[str] = (),
    audience: str | None = None,
    proof: SentProof | None = None,
    with_person: bool = False,
) -> tuple[AccessToken, TokenState]:
    """The access token of a request to a resource, and what the database says of it.

    It comes in `Authorization`, or `in_body`. `audience` is ourselves, and `proof` that of this
    request, unless the caller says otherwise. Raises the errors of `resource_protector.protect`.
    """
    runtime = ctx.runtime
    presented = presented_token(ctx.incoming.headers("authorization"), in_body)
    runtime.keys.refresh(ctx.db, ctx.now)
    return resource_protector.protect(
        ctx.db,
        runtime.tokens,
        presented,
        proof or sent_proof(ctx),
        audience=runtime.issuer if audience is None else audience,
        scope=scope,
        now=ctx.now,
        with_person=with_person,
    )


def count_holder(ctx: Context, token: AccessToken, state: TokenState) -> None:
    """Count a request with an access token against the limit of this person and this client.

    A limit of the client alone could be used up by one person for all others.
    """
    ctx.count(CLIENTS, f"{token.client_id} {state.user_id or ''}")


def sent_proof(ctx: Context) -> SentProof:
    """The DPoP headers of a request, each as it came, and the address that they must be for."""
    incoming, runtime = ctx.incoming, ctx.runtime
    return SentProof(
        tuple(incoming.headers("dpop")),
        incoming.method,
        runtime.issuer + incoming.sent_path,
        runtime.dpop_nonces,
    )


def access_with_proof(incoming: Incoming) -> Access:
    """`read`, unless there is a DPoP proof, whose use is written down (RFC 9449 §11.1)."""
    return "read" if incoming.header("dpop") is None else "write"


def protocol_error(ctx: Context, error: OAuth2Error, resource: str | None = None) -> Response:
    """An OAuth error as JSON (RFC 6749 §5.2), with the challenge that its status calls for.

    `resource` is whose refusal it is, where we answer for another resource than ourselves.
    """
    description = error.get_error_description() or "The request was refused."
    response = oauth_error(error.error, description, error.status_code, ctx.reference)
    return with_challenge(ctx, error, response, resource)


def with_challenge(
    ctx: Context, error: OAuth2Error, response: Response, resource: str | None = None
) -> Response:
    """The same answer with the challenge that this error calls for, if it does."""
    challenge = _challenge(ctx, error, resource)
    if challenge is not None:
        response.with_header("www-authenticate", challenge)
    return with_dpop_nonce(ctx, response)


def with_dpop_nonce(ctx: Context, response: Response) -> Response:
    """Tell which nonce the next DPoP proof must hold, where one is required (RFC 9449 §8.2)."""
    nonces = ctx.runtime.dpop_nonces
    if nonces.required:
        response.with_header("dpop-nonce", nonces.current(ctx.now))
    return response


def _challenge(ctx: Context, error: OAuth2Error, resource: str | None) -> str | None:
    """RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3, RFC 7617 §2.

    Whoever used one scheme is told of it alone, if the token can be sent that way.
    """
    of_registration = isinstance(error, InvalidRegistrationTokenError)
    metadata = "" if of_registration else _resource_metadata(ctx, resource)
    bearer = f'Bearer realm="{ctx.runtime.issuer}"{metadata}'
    if isinstance(error, InvalidTokenError) and not error.presented:
        return bearer if of_registration else f"{bearer}, {_DPOP}"
    if error.error == "invalid_client" and error.status_code == 401:
        return f'Basic realm="{ctx.runtime.issuer}", charset="UTF-8"'
    of_resource = isinstance(error, _OF_TOKEN)
    if not of_resource and not (isinstance(error, _OF_PROOF) and error.status_code == 401):
        return None
    scheme = (ctx.incoming.header("authorization") or "").partition(" ")[0]
    to_prove = scheme.lower() == "dpop" or isinstance(error, UnprovenTokenError)
    challenge = f"{_DPOP}{metadata}" if to_prove else bearer
    described = as_description(error.get_error_description())
    details = f'error="{error.error}", error_description="{described}"'
    if isinstance(error, InsufficientUserAuthenticationError):
        details += "".join(f', {name}="{value}"' for name, value in error.wanted.items())
    if isinstance(error, InsufficientScopeError):
        details += f', scope="{error.scope}"'
    return f"{challenge}, {details}"


def _resource_metadata(ctx: Context, resource: str | None) -> str:
    """Where a client learns who gives tokens (RFC 9728 §5.1): for us, or for what is below us.

    Of a resource elsewhere, the document is elsewhere: at its own host (§3.1).
    """
    issuer, below = ctx.runtime.issuer, ""
    if resource is not None and resource != issuer:
        below = resource.removeprefix(issuer)
        if below == resource or not _PATH.fullmatch(below):
            return ""
    return f', resource_metadata="{ctx.url("discovery.oauth_protected_resource")}{below}"'
