"""/login/second-step/{pending_id}/passkey: a passkey of the person, after their password."""

from collections.abc import Callable

from oidc_server.authentication import arrival, second_step
from oidc_server.authentication.second_step import Step
from oidc_server.domain.authorization_requests import RequestGoneError
from oidc_server.domain.factors import Factor
from oidc_server.domain.factors.strength import with_methods
from oidc_server.domain.passkey_challenges import Ceremony
from oidc_server.people import passkey_proof
from oidc_server.people.passkey_proof import PasskeyProof
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def ask(ctx: Context) -> Response:
    """What the script of the page asks the browser for: a passkey of this person."""
    user_id = _step(ctx).pending.user_id
    return responses.json(passkey_proof.ask(ctx, Ceremony.PROVE, user_id=user_id))


def prove(ctx: Context) -> Callable[[], PasskeyProof] | PasskeyProof:
    """Ahead of `submit_passkey`: look at what the browser sent."""
    user_id = _step(ctx).pending.user_id
    return passkey_proof.begin(ctx, ctx.form.text("credential"), Ceremony.PROVE, user_id=user_id)


def submit_passkey(ctx: Context) -> Response:
    """Go on, or show the page with what to do now. Attempts need no limit: nobody can guess."""
    step = _step(ctx)
    proof = passkey_proof.settle(ctx, ctx.proof)

    if not proof.holds:
        return _refusal(ctx, step, proof)
    amr = with_methods(step.pending.amr, proof.amr)
    response = arrival.go_further(ctx, step.came_from, step.pending, amr)
    if response is None:
        raise RequestGoneError
    return response


def _step(ctx: Context) -> Step:
    step = second_step.step_of(ctx, Factor.PASSKEY)
    if step.factor != Factor.PASSKEY:
        raise RequestGoneError
    return step


def _refusal(ctx: Context, step: Step, proof: PasskeyProof) -> Response:
    step.record_failure(ctx, reason=proof.reason)
    error = "late" if proof.reason == "challenge" else "passkey"
    return second_step.page(ctx, step, error=error, status=401)
