"""A new account: the rule of its form, and what follows when somebody signs up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from oidc_server.domain import invitations, users
from oidc_server.domain.audit import Event
from oidc_server.domain.invitations import Invitation, SpentInvitationError
from oidc_server.domain.users import User
from oidc_server.people import email_addresses, new_password
from oidc_server.people.new_password import NewPassword
from oidc_server.web.context import Context
from oidc_server.web.load.lanes import Inquiry

_FIELDS = ("username", "email", "name")
EMPTY: Mapping[str, str] = dict.fromkeys(_FIELDS, "")


@dataclass(frozen=True)
class Draft:
    """A form that was looked at: its problems by field, or the hash of the password."""

    values: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    errors: Mapping[str, str] = field(default_factory=dict)
    password_hash: str | None = None


def fields(ctx: Context) -> dict[str, str]:
    """What was typed, but for the password."""
    return {name: ctx.form.text(name) for name in _FIELDS}


def examine(ctx: Context, email: str | None = None) -> Callable[[], Draft] | Inquiry | Draft:
    """Say all that is wrong with the form at once; if nothing is, the password is hashed.

    With `email`, the address is known, and what the form says of it does not count.
    """
    values = fields(ctx)
    if email is not None:
        values["email"] = email
    errors = users.problems(**values)

    def draft(chosen: NewPassword) -> Draft:
        found = errors | ({"password": chosen.problem} if chosen.problem else {})
        return Draft(values, found, chosen.password_hash)

    return new_password.choose(
        ctx, ctx.form.text("password"), values.values(), draft, to_hash=not errors
    )


def open_account(
    ctx: Context,
    *,
    username: str,
    email: str,
    name: str | None,
    password_hash: str | None,
    invitation: Invitation | None = None,
    email_proven: bool = False,
) -> User:
    """Sign somebody up, and mail to their address so that it can be confirmed.

    Whether the address is known here is told to its owner alone. An invitation is used with it,
    both or neither; the address that it was mailed to is that of the account, and need not be
    confirmed, nor need one that was proven elsewhere (`email_proven`). Raises
    `InvalidFieldError`, `UsernameTakenError`, for a proven address `EmailTakenError`, and with an
    invitation `SpentInvitationError`.
    """
    invited_email = invitation.email if invitation else None
    proven = email_proven or invited_email is not None
    with ctx.db.savepoint():
        user = users.create(
            ctx.db,
            username=username,
            email=invited_email or email,
            name=name,
            password_hash=password_hash,
            now=ctx.now,
            email_verified=proven,
        )
        if invitation and not invitations.redeem(ctx.db, invitation, user.id, ctx.now):
            raise SpentInvitationError("The invitation was used already.")
    ctx.record(Event.SIGNED_UP, user_id=user.id)
    if invitation is not None:
        _used(ctx, invitation, user.id)
    if not proven:
        email_addresses.ask_to_verify(ctx, user)
    return user


def _used(ctx: Context, invitation: Invitation, user_id: str) -> None:
    ctx.record(
        Event.INVITATION_USED, user_id=user_id, invitation_id=invitation.id, role=invitation.role
    )
