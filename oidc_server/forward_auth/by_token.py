"""Whoever sends an access token: the person that it stands for, or a client for itself."""

from oidc_server.domain import claims, roles
from oidc_server.domain.factors.strength import included
from oidc_server.domain.token_states import TokenState
from oidc_server.forward_auth.demands import Demands
from oidc_server.forward_auth.forwarded import Forwarded
from oidc_server.forward_auth.identity import Identity, refused
from oidc_server.oauth2.access_tokens import AccessToken
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.dpop import SentProof
from oidc_server.oauth2.errors import InsufficientUserAuthenticationError
from oidc_server.oauth2.vocabulary import Scope
from oidc_server.web.context import Context
from oidc_server.web.protocol import count_holder, protect, protocol_error, with_dpop_nonce
from oidc_server.web.responses import Response


def decide(ctx: Context, request: Forwarded, demands: Demands) -> Response:
    """Let the token through if it holds, is for this audience, and allows what is demanded."""
    try:
        token, state = protect(
            ctx,
            scope=demands.scope,
            audience=demands.audience,
            proof=_proof(ctx, request),
            with_person=True,
        )
        if demands.acr is not None and demands.acr not in included(token.acr):
            raise InsufficientUserAuthenticationError(
                "This needs a stronger sign-in.", acr_values=demands.acr
            )
    except OAuth2Error as error:
        return protocol_error(ctx, error, demands.audience)

    count_holder(ctx, token, state)
    held = roles.roles_of(ctx.db, state.user_id) if state.user_id else frozenset[str]()
    if not demands.met_by(held):
        return refused(ctx, "This needs a role that the person does not have.")
    return with_dpop_nonce(ctx, _identity(ctx, token, state, held).allowed())


def _proof(ctx: Context, request: Forwarded) -> SentProof:
    """The DPoP proof, which is for the request to the service, not for ours (RFC 9449 §4.3)."""
    runtime = ctx.runtime
    return SentProof(
        tuple(ctx.incoming.headers("dpop")),
        request.method,
        runtime.issuer + request.path,
        runtime.dpop_nonces,
    )


def _identity(
    ctx: Context, token: AccessToken, state: TokenState, held: frozenset[str]
) -> Identity:
    """Of the person no more than userinfo would tell the same token (Core §5.4)."""
    told = {}
    if state.person is not None and state.sub is not None:
        scopes = token.scopes - {Scope.ROLES}  # `held` says them already
        told = claims.userinfo(ctx.db, state.person, state.sub, scopes, None)
    return Identity(
        sub=state.sub,
        username=told.get("preferred_username"),
        email=told.get("email") if told.get("email_verified") else None,
        scopes=token.scopes,
        roles=held,
        client_id=token.client_id,
    )
