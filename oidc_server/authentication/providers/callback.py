"""/login/providers/{provider}/callback: where a provider sends the browser back to (Core §3.1.2.5).

Each provider has an address of its own, and `state` says which provider it was for and which
browser left: an answer of another provider, or to another browser's sign-in, is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oidc_server.authentication import arrival, login
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.authentication.providers import start
from oidc_server.authentication.providers.offered import Trouble
from oidc_server.domain import credentials, identities, upstream_sign_ins
from oidc_server.domain.audit import Event
from oidc_server.domain.factors.strength import FEDERATED
from oidc_server.domain.identities import Identity, IdentityTakenError
from oidc_server.domain.identity_providers import IdentityProvider
from oidc_server.domain.upstream_sign_ins import UpstreamSignIn
from oidc_server.oauth2.upstream import LEEWAY, Told, UpstreamError
from oidc_server.outbound.addresses import OutboundUnavailableError
from oidc_server.people import linked_identities, provider_sign_in
from oidc_server.web.context import Context
from oidc_server.web.load.lanes import Errand
from oidc_server.web.responses import Response

_PARAMETERS = ("code", "state", "iss", "error")


@dataclass(frozen=True)
class Outcome:
    """What came of an answer: who signed in there, or why nobody did."""

    provider: IdentityProvider
    sign_in: UpstreamSignIn | None = None
    told: Told | None = None
    failure: str = "there is no such sign-in in this browser"
    denied: bool = False
    retry_after: float | None = None


def ask_provider(ctx: Context) -> Errand | Outcome:
    """Ahead of `finish`: take the answer, once, and ask the provider who that was."""
    provider = provider_sign_in.get_provider(ctx)
    given = {name: ctx.query.text(name) for name in _PARAMETERS if ctx.query.get(name)}
    sign_in = upstream_sign_ins.answer(
        ctx.db, provider, given.get("state", ""), ctx.browser, ctx.now
    )
    if sign_in is None:
        return Outcome(provider)
    upstream = provider_sign_in.upstream_of(ctx, provider)
    registration = provider_sign_in.registration_of(ctx, provider)
    attempt = upstream_sign_ins.attempt_of(ctx.runtime.vault, given["state"])

    def run() -> Outcome:
        try:
            told = upstream.redeem(registration, attempt, given, ctx.now)
        except OutboundUnavailableError as error:
            return Outcome(
                provider, sign_in, failure=f"away: {error}", retry_after=error.retry_after
            )
        except UpstreamError as error:
            denied = given.get("error") == "access_denied"
            return Outcome(provider, sign_in, failure=str(error), denied=denied)
        return Outcome(provider, sign_in, told)

    return Errand(run)


def finish(ctx: Context) -> Response:
    """Sign in whoever is known, connect what was to be connected, or ask who is new."""
    outcome: Outcome = ctx.proof
    sign_in, told = outcome.sign_in, outcome.told
    # It may have been disabled, or replaced by another of this name, while we were asking.
    provider = provider_sign_in.get_provider(ctx)
    came_from = _came_from(ctx, sign_in)
    if sign_in is None or told is None or provider.id != outcome.provider.id:
        return _refusal(ctx, came_from, outcome)
    if not provider_sign_in.is_fresh(sign_in, told.auth_time, LEEWAY.total_seconds()):
        return _trouble(ctx, came_from, provider, "not_fresh", "it was no new sign-in there")

    said = {"sub": told.sub, **told.claims}
    if sign_in.session_id is not None:
        return _connect(ctx, sign_in, provider, said)
    known = identities.find(ctx.db, provider.id, told.sub)
    if known is None:
        upstream_sign_ins.keep(ctx.db, sign_in, said, ctx.now)
        return ctx.redirect("authentication.newcomer", sign_in_id=sign_in.id)
    return _enter(ctx, came_from, provider, known, said, _auth_time(ctx, sign_in, told))


def enter(
    ctx: Context,
    came_from: Interrupted,
    provider: IdentityProvider,
    user_id: str,
    auth_time: datetime | None = None,
) -> Response:
    """Sign in the person that a provider has identified, as every other way to sign in does."""
    ctx.keep_provider(provider.name)
    response = arrival.arrive(ctx, came_from, user_id, FEDERATED, auth_time=auth_time)
    location = response.header("location")
    if location is None or came_from.request_id is None:
        return response
    return provider_sign_in.onward(
        ctx, location, came_from.client.name if came_from.client else None
    )


def _enter(
    ctx: Context,
    came_from: Interrupted,
    provider: IdentityProvider,
    known: Identity,
    said: Mapping[str, Any],
    auth_time: datetime | None,
) -> Response:
    if not credentials.may_sign_in(ctx.db, known.user_id, ctx.now):
        reason = "the account is closed"
        return _trouble(ctx, came_from, provider, "shut", reason, user_id=known.user_id)
    identities.use(ctx.db, known, linked_identities.account_of(said), ctx.now)
    return enter(ctx, came_from, provider, known.user_id, auth_time)


def _auth_time(ctx: Context, sign_in: UpstreamSignIn, told: Told) -> datetime | None:
    """When the person proved themselves there, which may be earlier; None if unknown.

    Its value is in seconds of another clock: one that was accepted as fresh stays fresh here.
    """
    if told.auth_time is None:
        return None
    latest = told.auth_time if sign_in.fresh_since is None else sign_in.fresh_since
    return min(max(told.auth_time, latest), ctx.now)


def _connect(
    ctx: Context,
    sign_in: UpstreamSignIn,
    provider: IdentityProvider,
    said: Mapping[str, Any],
) -> Response:
    """Connect the identity to the account whose session asked for it."""
    session = ctx.user_session
    if session is None or session.id != sign_in.session_id:
        return _trouble(ctx, Interrupted(), provider, "over", "the session has ended")
    try:
        linked_identities.link(ctx, session.user_id, provider, said)
    except IdentityTakenError:
        return ctx.redirect("account.security", notice="provider_taken")
    return ctx.redirect("account.security", notice="provider_connected")


def _came_from(ctx: Context, sign_in: UpstreamSignIn | None) -> Interrupted:
    if sign_in is None:
        return Interrupted()
    if sign_in.request_id is not None:
        return interrupted(ctx, sign_in.request_id)
    return Interrupted(return_to=sign_in.return_to)


def _refusal(ctx: Context, came_from: Interrupted, outcome: Outcome) -> Response:
    provider, reason = outcome.provider, outcome.failure
    if outcome.retry_after is not None:
        _write_down(ctx, came_from, provider, reason)
        return start.away(ctx, came_from, provider.label, outcome.retry_after)
    if outcome.sign_in is None:
        return _trouble(ctx, came_from, provider, "over", reason)
    return _trouble(ctx, came_from, provider, "denied" if outcome.denied else "failed", reason)


def _trouble(
    ctx: Context,
    came_from: Interrupted,
    provider: IdentityProvider,
    kind: Any,
    reason: str,
    user_id: str | None = None,
) -> Response:
    _write_down(ctx, came_from, provider, reason, user_id)
    trouble = Trouble(provider.label, kind)
    status = 403 if kind == "shut" else 400
    return login.page(ctx, came_from, username="", error=trouble, status=status)


def _write_down(
    ctx: Context,
    came_from: Interrupted,
    provider: IdentityProvider,
    reason: str,
    user_id: str | None = None,
) -> None:
    came_from.record(
        ctx,
        Event.SIGN_IN_FAILED,
        user_id,
        reason="provider",
        provider=provider.name,
        because=reason,
    )
    provider_sign_in.log_failure(ctx, provider, reason)
