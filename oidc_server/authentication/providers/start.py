"""/login/providers/{provider}: the button of a provider, from which the browser leaves."""

from datetime import datetime, timedelta

from oidc_server.authentication import login
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.authentication.providers.offered import Trouble
from oidc_server.domain.upstream_sign_ins import Reason
from oidc_server.people import provider_sign_in
from oidc_server.people.provider_sign_in import ProviderAwayError
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def submit_provider(ctx: Context) -> Response:
    """Leave for the provider; if it is away, the login page says so, and has other ways."""
    came_from = interrupted(ctx, ctx.form.get("request_id"))
    provider = provider_sign_in.get_provider(ctx)

    try:
        return provider_sign_in.leave(
            ctx,
            provider,
            Reason(
                request_id=came_from.request_id,
                return_to=came_from.return_to,
                fresh_since=_fresh_since(ctx, came_from),
            ),
        )
    except ProviderAwayError as error:
        provider_sign_in.log_failure(ctx, provider, str(error))
        return away(ctx, came_from, provider.label, error.retry_after)


def away(ctx: Context, came_from: Interrupted, label: str, retry_after: float) -> Response:
    """The login page while a provider does not answer."""
    trouble = Trouble(label, "away")
    return login.page(
        ctx, came_from, username="", error=trouble, retry_after=retry_after, status=503
    )


def _fresh_since(ctx: Context, came_from: Interrupted) -> datetime | None:
    """Since when the person must have signed in there; None if whenever.

    An app may ask for a new sign-in, or for one of a certain age (Core §3.1.2.1), and whoever is
    signed in here and comes to this button proves once more that it is them.
    """
    request = came_from.request
    if request is None:
        return ctx.now if ctx.user_session is not None else None
    if request.wants_fresh_login(request.created_at - timedelta(microseconds=1)):
        return request.created_at
    if request.max_age is not None:
        return request.created_at - timedelta(seconds=request.max_age)
    return None
