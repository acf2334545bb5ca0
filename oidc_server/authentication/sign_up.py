"""/sign-up: make an account. A free username is enough, and signs in at once."""

from collections.abc import Callable, Mapping

from oidc_server.authentication import arrival
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.domain.factors.strength import PASSWORD
from oidc_server.domain.users import User, UsernameTakenError
from oidc_server.web import new_account, passkey_proof
from oidc_server.web.context import Context
from oidc_server.web.lanes import Inquiry
from oidc_server.web.new_account import Draft
from oidc_server.web.responses import Response


def show_sign_up(ctx: Context) -> Response:
    came_from = interrupted(ctx, ctx.query.get("request_id"))
    if ctx.runtime.settings.sign_up != "open":
        return closed(ctx)

    return page(ctx, came_from, new_account.EMPTY, {})


def prepare(ctx: Context) -> Callable[[], Draft] | Inquiry | Draft:
    """Ahead of `submit_sign_up`: say what is wrong, or hash the password."""
    if ctx.runtime.settings.sign_up != "open":
        return Draft()
    interrupted(ctx, ctx.form.get("request_id"))
    return new_account.examine(ctx)


def submit_sign_up(ctx: Context) -> Response:
    """Make the account. Whether the address is known here is told to its owner, not to the form."""
    if ctx.runtime.settings.sign_up != "open":
        return closed(ctx)
    came_from = interrupted(ctx, ctx.form.get("request_id"))
    draft: Draft = ctx.proof
    if draft.password_hash is None:
        return page(ctx, came_from, draft.values, draft.errors, status=422)

    try:
        user = create(ctx, draft.values, password_hash=draft.password_hash)
    except UsernameTakenError:
        return page(ctx, came_from, draft.values, {"username": "taken"}, status=409)

    return arrival.arrive(ctx, came_from, user.id, PASSWORD)


def create(ctx: Context, values: Mapping[str, str], password_hash: str | None) -> User:
    """Make the account, and ask whoever reads the address; raises `UsernameTakenError`."""
    return new_account.open_account(
        ctx,
        username=values["username"],
        email=values["email"],
        name=values["name"],
        password_hash=password_hash,
    )


def closed(ctx: Context) -> Response:
    """The page where nobody can make an account."""
    return ctx.render("authentication/sign_up_closed.html", status=403)


def page(
    ctx: Context,
    came_from: Interrupted,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    """The page, with what was typed and what is wrong with it."""
    return came_from.render(
        ctx,
        "authentication/sign_up.html",
        status=status,
        values=values,
        errors=errors,
        passkeys=passkey_proof.are_possible(ctx),
        password_min=ctx.runtime.settings.password_min_length,
    )
