"""/setup: makes the first administrator, once."""

from collections.abc import Callable, Mapping

from oidc_server.domain import roles, users
from oidc_server.domain.audit import Event
from oidc_server.domain.factors.strength import PASSWORD
from oidc_server.domain.links import Purpose
from oidc_server.domain.users import EmailTakenError, User, UsernameTakenError
from oidc_server.people import browser_session, mailed_link, new_account, second_factors
from oidc_server.people.new_account import Draft
from oidc_server.web.context import Context
from oidc_server.web.load.lanes import Inquiry
from oidc_server.web.responses import Response


def show_setup(ctx: Context) -> Response:
    """The form, for whoever holds the link that the terminal showed."""
    arriving = mailed_link.arrive(ctx, Purpose.SET_UP, "setup.setup")
    if arriving is not None:
        return arriving
    if not _is_open(ctx, ctx.kept_link):
        return mailed_link.invalid(ctx, Purpose.SET_UP, status=404)

    return _page(ctx, ctx.kept_link, new_account.EMPTY, {})


def prepare(ctx: Context) -> Callable[[], Draft] | Inquiry | Draft:
    """Ahead of `submit_setup`: say what is wrong, or hash the password."""
    return new_account.examine(ctx) if _is_open(ctx, ctx.form.text("link")) else Draft()


def submit_setup(ctx: Context) -> Response:
    """Use the link and make the administrator, in one transaction: of two at once, one does."""
    draft: Draft = ctx.proof
    value = ctx.form.text("link")
    ctx.db.lock("set-up")
    if not _is_open(ctx, value):
        ctx.drop_link()
        return mailed_link.invalid(ctx, Purpose.SET_UP, status=404)
    if draft.password_hash is None:
        return _page(ctx, value, draft.values, draft.errors, status=422)

    try:
        user = _make_administrator(ctx, draft.values, draft.password_hash)
    except UsernameTakenError:
        return _page(ctx, value, draft.values, {"username": "taken"}, status=409)
    except EmailTakenError:
        return _page(ctx, value, draft.values, {"email": "taken"}, status=409)
    mailed_link.consume(ctx, Purpose.SET_UP, value)
    ctx.record(Event.SET_UP, user_id=user.id)
    if second_factors.are_required_of(ctx, user.id):
        return ctx.redirect("authentication.login")
    browser_session.sign_in(ctx, user.id, PASSWORD)
    return ctx.redirect("account.overview", notice="set_up")


def _make_administrator(ctx: Context, values: Mapping[str, str], password_hash: str) -> User:
    """Whoever reads the terminal of the server is believed about their address."""
    with ctx.db.savepoint():
        user = users.create(
            ctx.db,
            username=values["username"],
            email=values["email"],
            name=values["name"],
            password_hash=password_hash,
            now=ctx.now,
            email_verified=True,
        )
        roles.assign(ctx.db, user.id, roles.ADMIN, ctx.now)
        return user


def _is_open(ctx: Context, value: str) -> bool:
    """Whether this is the link, and there is no administrator yet: both end it for good."""
    if roles.administrator_exists(ctx.db):
        return False
    return mailed_link.find(ctx, Purpose.SET_UP, value) is not None


def _page(
    ctx: Context,
    link: str,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    return ctx.render(
        "setup/setup.html",
        status=status,
        link=link,
        values=values,
        errors=errors,
        password_min=ctx.runtime.settings.password_min_length,
    )
