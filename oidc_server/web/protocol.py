"""Between a request and the protocol kit: the exchange it makes, and how its errors are written."""

from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.errors import InsufficientScopeError, InvalidTokenError
from oidc_server.oauth2.exchange import Exchange
from oidc_server.web.context import Context
from oidc_server.web.errors import oauth_error
from oidc_server.web.incoming import RepeatedParameterError
from oidc_server.web.responses import Response

_MAY_REPEAT = ("resource", "audience")


def exchange_of(ctx: Context) -> Exchange:
    """The request as the protocol kit sees it; raises `RepeatedParameterError`."""
    form = ctx.form
    for name in form.repeated():
        if name not in _MAY_REPEAT:
            raise RepeatedParameterError(name)
    runtime = ctx.runtime
    runtime.keys.refresh(ctx.db, ctx.now)
    return Exchange(
        db=ctx.db,
        now=ctx.now,
        origin=ctx.origin,
        issuer=runtime.issuer,
        keys=runtime.keys,
        client_keys=runtime.client_keys,
        vault=runtime.vault,
        lifetimes=runtime.settings,
        refresh_keys=runtime.refresh_keys,
        authorization=tuple(ctx.incoming.headers("authorization")),
        form={name: value for name in form if (value := _first(form.all(name))) is not None},
        resources=tuple(form.all("resource")),
        proof=ctx.proof,
    )


def _first(values: list[str]) -> str | None:
    return values[0] if values else None


def protocol_error(ctx: Context, error: OAuth2Error) -> Response:
    """An OAuth error as JSON (RFC 6749 §5.2), with the challenge that its status calls for."""
    description = error.get_error_description() or "The request was refused."
    response = oauth_error(error.error, description, error.status_code, ctx.origin.reference)
    challenge = _challenge(ctx, error)
    if challenge is not None:
        response.with_header("www-authenticate", challenge)
    return response


def _challenge(ctx: Context, error: OAuth2Error) -> str | None:
    issuer = ctx.runtime.issuer
    if isinstance(error, InvalidTokenError) and not error.presented:
        return f'Bearer realm="{issuer}", {_resource_metadata(ctx)}'
    if isinstance(error, InvalidTokenError | InsufficientScopeError):
        scope = f', scope="{error.scope}"' if isinstance(error, InsufficientScopeError) else ""
        return (
            f'Bearer realm="{issuer}", {_resource_metadata(ctx)}, error="{error.error}",'
            f' error_description="{error.get_error_description()}"{scope}'
        )
    if error.error == "invalid_client" and error.status_code == 401:
        return f'Basic realm="{issuer}", charset="UTF-8"'
    return None


def _resource_metadata(ctx: Context) -> str:
    """Where a client learns who gives tokens for us (RFC 9728 §5.1)."""
    return f'resource_metadata="{ctx.url("discovery.oauth_protected_resource")}"'
