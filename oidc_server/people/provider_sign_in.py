"""Leaving for another provider and coming back: what the login page and the console share.

Both ways go through a small page that the browser goes on from by itself. A redirect would not do:
browsers apply `form-action` to every hop after a form was sent, and nobody but a provider knows
over which hosts it leads; nor does a provider know those of the apps behind us.
"""

from datetime import datetime

from oidc_server.domain import identity_providers, upstream_sign_ins
from oidc_server.domain.identity_providers import IdentityProvider
from oidc_server.domain.upstream_sign_ins import Reason, UpstreamSignIn
from oidc_server.oauth2.upstream import Registration, Upstream
from oidc_server.observability.logs import get_logger
from oidc_server.outbound.addresses import OutboundRefusedError, OutboundUnavailableError
from oidc_server.security.encryption import UnsealError
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response

_log = get_logger(__name__)
_TRY_LATER = 60.0


class ProviderAwayError(Exception):
    """The provider does not answer, or not as one does; ask again in `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def get_provider(ctx: Context) -> IdentityProvider:
    """The provider of the address, if people may use it now; raises `NotFoundError`."""
    found = identity_providers.find_enabled(ctx.db, ctx.incoming.path_params["provider"])
    if found is None:
        raise NotFoundError
    return found


def upstream_of(ctx: Context, provider: IdentityProvider) -> Upstream:
    """What this process knows of a provider."""
    return ctx.runtime.upstreams.of(provider.id, provider.name, provider.updated_at)


def registration_of(ctx: Context, provider: IdentityProvider) -> Registration:
    """What the provider knows us by. Its callback is its own, so no other one can answer there."""
    return Registration(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=identity_providers.secret_of(ctx.runtime.vault, provider),
        token_endpoint_auth_method=provider.token_endpoint_auth_method,
        scope=provider.scope,
        redirect_uri=ctx.url("authentication.provider_callback", provider=provider.name),
    )


def leave(ctx: Context, provider: IdentityProvider, reason: Reason) -> Response:
    """Send the browser to a provider.

    Raises `FetchNeeded` until the adapter has asked for the metadata, and `ProviderAwayError`.
    """
    upstream = upstream_of(ctx, provider)
    if upstream.seconds_left:
        raise ProviderAwayError("circuit breaker open", upstream.seconds_left)
    attempt = upstream_sign_ins.begin(
        ctx.db, ctx.runtime.vault, provider, ctx.browser, reason, ctx.now
    )
    try:
        url = upstream.authorization_url(
            registration_of(ctx, provider),
            attempt,
            ctx.now,
            # A sign-in there may not be older than one here may become.
            max_age=ctx.runtime.settings.session_absolute_lifetime,
            login_again=reason.fresh_since is not None,
            ui_locales=ctx.language,
        )
    except OutboundUnavailableError as error:
        raise ProviderAwayError(str(error), error.retry_after) from None
    except (OutboundRefusedError, UnsealError) as error:
        raise ProviderAwayError(str(error), _TRY_LATER) from None
    return onward(ctx, url, provider.label)


def onward(ctx: Context, href: str, to: str | None) -> Response:
    """A page that the browser goes on from by itself; `to` says where it leads, if not home."""
    return ctx.render("onward.html", href=href, to=to)


def log_failure(ctx: Context, provider: IdentityProvider, reason: str) -> None:
    """Tell the operator why nobody could sign in; the reference is on the page of the person."""
    _log.warning(
        "sign-in with a provider failed",
        provider=provider.name,
        reason=reason,
        reference=ctx.reference,
    )


def is_fresh(sign_in: UpstreamSignIn, auth_time: datetime | None, leeway: float) -> bool:
    """Whether the person signed in there as lately as they had to."""
    if sign_in.fresh_since is None:
        return True
    if auth_time is None:
        return False
    return (sign_in.fresh_since - auth_time).total_seconds() <= leeway
