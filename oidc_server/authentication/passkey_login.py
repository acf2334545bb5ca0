"""/login/passkey: a passkey says who is there, and that alone is a sign-in."""

from collections.abc import Callable

from oidc_server.authentication import arrival, login
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.domain.audit import Event
from oidc_server.domain.passkey_challenges import Ceremony
from oidc_server.people import passkey_proof
from oidc_server.people.passkey_proof import PasskeyProof
from oidc_server.security import base64url
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_TOLD = {"challenge": "passkey_late", "unknown": "passkey_unknown"}


def ask(ctx: Context) -> Response:
    """What the script of the login page asks the browser for: any passkey that is ours."""
    return responses.json(passkey_proof.ask(ctx, Ceremony.SIGN_IN))


def prove(ctx: Context) -> Callable[[], PasskeyProof] | PasskeyProof:
    """Ahead of `submit_passkey`: if the request still waits, look at what the browser sent."""
    interrupted(ctx, ctx.form.get("request_id"))
    return passkey_proof.begin(ctx, ctx.form.text("credential"), Ceremony.SIGN_IN)


def submit_passkey(ctx: Context) -> Response:
    """Sign in, or show the login page with what to do now."""
    came_from = interrupted(ctx, ctx.form.get("request_id"))
    proof = passkey_proof.settle(ctx, ctx.proof)

    if not proof.holds or proof.user_id is None:
        came_from.record(
            ctx,
            Event.SIGN_IN_FAILED,
            proof.user_id,
            reason=proof.reason,
            passkey_id=proof.passkey.id if proof.passkey else None,
        )
        return _refusal(ctx, came_from, proof)
    return arrival.arrive(ctx, came_from, proof.user_id, proof.amr)


def _refusal(ctx: Context, came_from: Interrupted, proof: PasskeyProof) -> Response:
    """The browser is told to forget a passkey that nobody has here (any more)."""
    unknown = None
    if proof.reason == "unknown" and proof.answer is not None:
        credential_id = base64url.encode(proof.answer.credential_id)
        unknown = {"id": credential_id, "rp_id": passkey_proof.party_of(ctx).id}
    return login.page(
        ctx,
        came_from,
        username="",
        error=_TOLD.get(proof.reason or "", "passkey"),
        status=401,
        unknown_passkey=unknown,
    )
