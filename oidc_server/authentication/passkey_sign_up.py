"""/sign-up/passkey: make an account that has a passkey and no password."""

from collections.abc import Callable, Mapping

from oidc_server.authentication import arrival, sign_up
from oidc_server.authentication.interrupted import interrupted
from oidc_server.domain import credentials, passkeys, users
from oidc_server.domain.passkey_challenges import Ceremony
from oidc_server.people import passkey_enrolment
from oidc_server.people.passkey_enrolment import Enrolment
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def ask(ctx: Context) -> Response:
    """What the script asks the browser to make, once the form is in order.

    If it is not, the script sends it as it is, and the page says why.
    """
    values = sign_up.fields(ctx)
    if not sign_up.is_open(ctx) or _problems(ctx, values):
        return responses.json({"refused": "fields"}, status=422)
    name = values["name"] or values["username"]
    return responses.json(
        passkey_enrolment.ask_for_sign_up(ctx, username=values["username"], name=name)
    )


def prepare(ctx: Context) -> Callable[[], Enrolment] | Enrolment:
    """Ahead of `submit_passkey`: look at the passkey that the browser has made."""
    if not sign_up.is_open(ctx):
        return Enrolment()
    interrupted(ctx, ctx.form.get("request_id"))
    return passkey_enrolment.begin(ctx, ctx.form.text("credential"), Ceremony.SIGN_UP)


def submit_passkey(ctx: Context) -> Response:
    """Make the account and its passkey, and sign in: making it verified the user."""
    if not sign_up.is_open(ctx):
        return sign_up.closed(ctx)
    came_from = interrupted(ctx, ctx.form.get("request_id"))
    values, made = sign_up.fields(ctx), ctx.proof
    errors = _problems(ctx, values)
    if made.new is None or made.user_handle is None:
        errors = errors or {"passkey": "late" if made.reason == "challenge" else "invalid"}
    if errors:
        status = 409 if errors.get("username") == "taken" else 422
        return sign_up.page(ctx, came_from, values, errors, status=status)

    try:
        user = sign_up.create(ctx, values, password_hash=None)
    except sign_up.REFUSALS as error:
        return sign_up.refused(ctx, came_from, values, error)
    passkeys.remember_handle(ctx.db, user.id, made.user_handle)
    passkey_enrolment.settle(ctx, user.id, made.new)
    return arrival.arrive(ctx, came_from, user.id, passkey_enrolment.amr(made.new))


def _problems(ctx: Context, values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the form. That a name is taken must be known before a passkey is made."""
    found = users.problems(**values)
    if not found and credentials.find_by_name(ctx.db, values["username"]) is not None:
        return {"username": "taken"}
    return found
