"""Getting in: an account, a forgotten password, and the proof that one reads an address."""

from typing import Any

from oidc_server.account_api.models import Me, SignUp, told
from oidc_server.account_api.proof import wrong_field
from oidc_server.api import chosen_password
from oidc_server.api.models import sent_members
from oidc_server.api.operations import Call
from oidc_server.domain import identifiers, invitations, users
from oidc_server.domain.invitations import Invitation, SpentInvitationError
from oidc_server.domain.links import Link, Purpose
from oidc_server.people import email_addresses, mailed_link, new_account, password_recovery
from oidc_server.people.new_password import NewPassword
from oidc_server.web.context import Context
from oidc_server.web.errors import InvalidFieldsError, ProblemError, types
from oidc_server.web.responses import Response, empty

_USELESS_LINK = "It was used already, or it is too old."
_hash_for_everybody = chosen_password.hashed(None, ("username", "email", "name"))


def prepare_sign_up(ctx: Context) -> Any:
    """Ahead of `sign_up`: judge and hash the password of who may make an account."""
    invitation = _invitation(ctx, sent_members(ctx).get("invitation"))
    return _hash_for_everybody(ctx) if _is_open(ctx, invitation) else NewPassword()


def sign_up(call: Call) -> Me:
    """Make an account. Whether the address is known here is told to its owner alone."""
    ctx, body = call.ctx, call.body
    invitation = _invitation(ctx, body.invitation)
    _see_whether_they_may(ctx, body, invitation)
    chosen = chosen_password.password_hash(
        ctx, users.refusals(username=body.username, email=body.email, claims=body.named())
    )
    if invitation is not None and not _is_for(invitation, body.email):
        raise InvalidFieldsError((["email"], "The invitation is for another address."))
    if chosen is None:
        raise InvalidFieldsError((["password"], "It is missing."))

    try:
        user = new_account.open_account(
            ctx,
            username=body.username,
            email=body.email,
            name=None,
            password_hash=chosen,
            invitation=invitation,
        )
        users.edit(ctx.db, user.id, body.named(), ctx.now)
    except SpentInvitationError:
        raise InvalidFieldsError((["invitation"], _USELESS_LINK)) from None

    return told(users.get(ctx.db, user.id), user.id)


def _invitation(ctx: Context, value: Any) -> Invitation | None:
    """The invitation of this link, if it could be used now."""
    if not isinstance(value, str) or ctx.runtime.settings.sign_up == "closed":
        return None
    invitation_id = ctx.runtime.links.read(Purpose.INVITATION, value)
    return invitations.find(ctx.db, invitation_id, ctx.now) if invitation_id else None


def _is_open(ctx: Context, invitation: Invitation | None) -> bool:
    policy = ctx.runtime.settings.sign_up
    return policy == "open" or (policy == "invite" and invitation is not None)


def _see_whether_they_may(ctx: Context, body: SignUp, invitation: Invitation | None) -> None:
    """Refuse who may not make an account, and an invitation that does not let anybody."""
    policy = ctx.runtime.settings.sign_up
    if body.invitation is not None and invitation is None and policy != "closed":
        raise InvalidFieldsError((["invitation"], _USELESS_LINK))
    if not _is_open(ctx, invitation):
        raise ProblemError(types.NOT_ALLOWED, "Not everybody may make an account here.")


def _is_for(invitation: Invitation, email: str) -> bool:
    """Whether it is for this address, or for whoever holds it."""
    if invitation.email is None:
        return True
    return identifiers.canonical_email(email) == identifiers.canonical_email(invitation.email)


def ask_for_password(call: Call) -> Response:
    """Mail a link, if there is somebody to mail it to; the answer is the same for everybody."""
    password_recovery.ask(call.ctx, call.body.username)

    return empty(202)


def prepare_password(ctx: Context) -> Any:
    """Ahead of `choose_password`: judge and hash it, if the link could be used."""
    body = sent_members(ctx)
    link, password = body.get("link"), body.get("password")
    if not isinstance(link, str) or not isinstance(password, str):
        return NewPassword()
    return password_recovery.prepare(ctx, link, password)


def choose_password(call: Call) -> Response:
    """Use a mailed link once, and set the password. It signs nobody in."""
    chosen: NewPassword = call.ctx.proof
    problem = chosen_password.problem_of(chosen)
    if problem is not None:
        raise InvalidFieldsError((["password"], problem))

    if password_recovery.choose(call.ctx, call.body.link, chosen) is None:
        raise InvalidFieldsError((["link"], _USELESS_LINK))

    return empty(204)


def ask_to_verify(call: Call) -> Response:
    """Mail a link and a code to the address of who calls, if it is not verified."""
    user = users.get(call.ctx.db, call.subject)

    if user.email_verified_at is None:
        email_addresses.ask_to_verify(call.ctx, user)

    return empty(202)


def confirm(call: Call) -> Response:
    """Confirm an address by the link or the code of a mail, be it to verify it or to change it.

    Either is for whoever asked for the mail, as on the pages: they may have named the address of a
    stranger, who must not be led to tie it to an account that is not theirs.
    """
    if call.body.link is not None:
        if not _by_link(call, call.subject, call.body.link):
            raise InvalidFieldsError((["link"], _USELESS_LINK))
    elif email_addresses.confirm_with_code(call.ctx, call.subject, call.body.code) is None:
        return wrong_field(call, "code", "It is wrong, or it is too old.")
    return empty(204)


def _by_link(call: Call, user_id: str, value: str) -> Link | None:
    for purpose in (Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL):
        link = mailed_link.find(call.ctx, purpose, value)
        if link is not None and link.user_id == user_id:
            return email_addresses.confirm_with_link(call.ctx, purpose, value)
    return None
