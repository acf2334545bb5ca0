"""/sign-up: make an account. A free username is enough, and signs in at once.

Where not everybody may (`OIDC_SIGN_UP=invite`), it takes an invitation: opening its link uses
nothing, making the account does. One that names an address proves it.
"""

from collections.abc import Callable, Mapping

from oidc_server.authentication import arrival
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.authentication.providers import offered
from oidc_server.domain import invitations
from oidc_server.domain.base import DomainError
from oidc_server.domain.factors.strength import PASSWORD
from oidc_server.domain.invitations import Invitation, SpentInvitationError
from oidc_server.domain.links import Purpose
from oidc_server.domain.users import EmailTakenError, User, UsernameTakenError
from oidc_server.people import mailed_link, new_account, passkey_proof
from oidc_server.people.new_account import Draft
from oidc_server.web.context import Context
from oidc_server.web.load.lanes import Inquiry
from oidc_server.web.responses import Response

REFUSALS = (UsernameTakenError, EmailTakenError, SpentInvitationError)
"""Why an account cannot be made after all; `refused` says so."""


def show_sign_up(ctx: Context) -> Response:
    arriving = mailed_link.arrive(ctx, Purpose.INVITATION, "authentication.sign_up")
    if arriving is not None:
        return arriving
    came_from = interrupted(ctx, ctx.query.get("request_id"))
    if not is_open(ctx):
        return closed(ctx)

    return page(ctx, came_from, new_account.EMPTY, {})


def prepare(ctx: Context) -> Callable[[], Draft] | Inquiry | Draft:
    """Ahead of `submit_sign_up`: say what is wrong, or hash the password."""
    if not is_open(ctx):
        return Draft()
    interrupted(ctx, ctx.form.get("request_id"))
    return new_account.examine(ctx, email=invited_email(ctx))


def submit_sign_up(ctx: Context) -> Response:
    """Make the account. Whether the address is known here is told to its owner, not to the form."""
    if not is_open(ctx):
        return closed(ctx)
    came_from = interrupted(ctx, ctx.form.get("request_id"))
    draft: Draft = ctx.proof
    if draft.password_hash is None:
        return page(ctx, came_from, draft.values, draft.errors, status=422)

    try:
        user = create(ctx, draft.values, password_hash=draft.password_hash)
    except REFUSALS as error:
        return refused(ctx, came_from, draft.values, error)

    return arrival.arrive(ctx, came_from, user.id, PASSWORD)


def is_open(ctx: Context) -> bool:
    """Whether this visitor may make an account; where sign-up is closed, no invitation opens it."""
    policy = ctx.runtime.settings.sign_up
    return policy == "open" or (policy == "invite" and _invitation(ctx) is not None)


def fields(ctx: Context) -> dict[str, str]:
    """What was typed, but for the password; the address of an invitation cannot be changed."""
    email = invited_email(ctx)
    return new_account.fields(ctx) | ({} if email is None else {"email": email})


def create(
    ctx: Context,
    values: Mapping[str, str],
    password_hash: str | None,
    *,
    email_proven: bool = False,
) -> User:
    """Make the account with the invitation there may be; raises one of `REFUSALS`.

    The invitation that let this visitor in may have been used since.
    """
    invitation = _invitation(ctx)
    if invitation is None and ctx.runtime.settings.sign_up != "open":
        raise SpentInvitationError("The invitation was used already.")
    user = new_account.open_account(
        ctx,
        username=values["username"],
        email=values["email"],
        name=values["name"],
        password_hash=password_hash,
        invitation=invitation,
        email_proven=email_proven,
    )
    if invitation is not None:
        ctx.drop_link()
    return user


def refused(
    ctx: Context, came_from: Interrupted, values: Mapping[str, str], error: DomainError
) -> Response:
    """The page again, for one of `REFUSALS`."""
    if isinstance(error, SpentInvitationError):
        return closed(ctx)
    field = "email" if isinstance(error, EmailTakenError) else "username"
    return page(ctx, came_from, values, {field: "taken"}, status=409)


def closed(ctx: Context) -> Response:
    """The page where nobody can make an account; who holds a link hears why it does not work."""
    invited = ctx.runtime.links.read(Purpose.INVITATION, link_of(ctx)) is not None
    if invited and ctx.runtime.settings.sign_up == "invite":
        ctx.drop_link()
        return mailed_link.invalid(ctx, Purpose.INVITATION)
    return ctx.render("authentication/sign_up_closed.html", status=403)


def page(
    ctx: Context,
    came_from: Interrupted,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    """The page, with what was typed and what is wrong with it."""
    invitation = _invitation(ctx)
    email = invitation.email if invitation else None
    return came_from.render(
        ctx,
        "authentication/sign_up.html",
        status=status,
        values={**values, "email": email} if email else values,
        errors=errors,
        passkeys=passkey_proof.are_possible(ctx),
        link=link_of(ctx) if invitation else None,
        invited_email=email,
        providers=offered.offers(ctx, to_newcomers=True),
        password_min=ctx.runtime.settings.password_min_length,
    )


def invited_email(ctx: Context) -> str | None:
    """The address that this visitor was invited with, if there is one."""
    invitation = _invitation(ctx)
    return None if invitation is None else invitation.email


def _invitation(ctx: Context) -> Invitation | None:
    """The invitation of this visitor, if it could be used now."""
    invitation_id = ctx.runtime.links.read(Purpose.INVITATION, link_of(ctx))
    return invitations.find(ctx.db, invitation_id, ctx.now) if invitation_id else None


def link_of(ctx: Context) -> str:
    """The value of the link of an invitation: the form sends back what the cookie brought."""
    return ctx.form.text("link") if ctx.incoming.method == "POST" else ctx.kept_link
