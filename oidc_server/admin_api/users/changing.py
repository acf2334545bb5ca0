"""What administration does to people. Nobody does it to themselves, or to who may more."""

from collections.abc import Sequence
from typing import Any

from oidc_server.admin_api.giving_roles import may_give
from oidc_server.admin_api.users.models import UserAnswer, told
from oidc_server.admin_api.users.reading import answer, other
from oidc_server.api.chosen_password import password_hash
from oidc_server.api.operations import Call
from oidc_server.api.profile import Claims
from oidc_server.domain import endings, roles, users
from oidc_server.domain.audit import Event
from oidc_server.domain.roles import UnknownRoleError
from oidc_server.domain.users import User
from oidc_server.web.errors import InvalidFieldsError, ProblemError, types
from oidc_server.web.responses import Response, empty

_WAYS_IN = {"username", "email", "email_verified"}
"""What somebody signs in by, or gets a new password by."""


def create_user(call: Call) -> UserAnswer:
    """Make an account. Without a password, a mail brings a link to choose one."""
    body, ctx = call.body, call.ctx
    chosen = password_hash(
        ctx,
        users.refusals(username=body.username, email=body.email or None, claims=body.named()),
    )
    _may_give_all(call, body.roles)

    user = users.create(
        ctx.db,
        username=body.username,
        email=body.email,
        name=None,
        password_hash=chosen,
        now=ctx.now,
        email_verified=body.email_verified,
    )
    _edit(call, user, body)
    for role in body.roles:
        roles.assign(ctx.db, user.id, role, ctx.now)
    if chosen is None:
        endings.mail_password_link(ctx.db, user.id, ctx.now, ctx.runtime.settings.link_lifetime)

    call.ctx.record(Event.USER_CREATED, user_id=user.id, roles=sorted(body.roles))
    return answer(call, user)


def change_user(call: Call) -> UserAnswer:
    """Change what is named in the body, and nothing else."""
    body, db, now = call.body, call.ctx.db, call.ctx.now
    found = other(call, opens=not _WAYS_IN.isdisjoint(body.model_fields_set))
    user = users.get_held(db, found.id)  # its owner may be changing the address
    before = _state(user)

    if body.username is not None:
        user = endings.rename_user(db, user.id, body.username, now)
    if {"email", "email_verified"} & body.model_fields_set:
        email = body.email if "email" in body.model_fields_set else user.email
        kept = "email" not in body.model_fields_set and user.email_verified_at is not None
        verified = kept if body.email_verified is None else body.email_verified
        user = endings.set_email(db, user.id, email, now, verified=verified)
    _edit(call, user, body)

    after = _state(user)
    if after != before:
        call.ctx.record(Event.USER_EDITED, user_id=user.id, before=before, after=after)
    return answer(call, user)


def disable_user(call: Call) -> UserAnswer:
    """Shut an account: nobody signs in, and every token of it is dead at once."""
    user = other(call)

    if endings.disable_user(call.ctx.db, user.id, call.ctx.now):
        call.ctx.record(Event.USER_DISABLED, user_id=user.id)
    return answer(call, users.get(call.ctx.db, user.id))


def enable_user(call: Call) -> UserAnswer:
    """Open an account again; what ended stays ended."""
    user = other(call)

    if endings.enable_user(call.ctx.db, user.id, call.ctx.now):
        call.ctx.record(Event.USER_ENABLED, user_id=user.id)
    return answer(call, users.get(call.ctx.db, user.id))


def delete_user(call: Call) -> Response:
    """Delete an account and all that is personal in it, at once and for good."""
    user = other(call)

    endings.delete_user(call.ctx.db, user.id, call.ctx.now)

    call.ctx.record(Event.USER_DELETED, user_id=user.id)
    return empty(204)


def set_password(call: Call) -> Response:
    """Give an account another password, and close what the old one opened."""
    user, chosen = other(call, opens=True), password_hash(call.ctx)
    if chosen is None:
        raise InvalidFieldsError((["password"], "It is missing."))

    endings.change_password(call.ctx.db, user.id, chosen, call.ctx.now)

    call.ctx.record(Event.PASSWORD_CHANGED, user_id=user.id)
    return empty(204)


def reset_password(call: Call) -> Response:
    """Make the password worthless and mail a link to choose another."""
    user, ctx = other(call), call.ctx

    if not endings.reset_password(ctx.db, user.id, ctx.now, ctx.runtime.settings.link_lifetime):
        raise ProblemError(types.CONFLICT, "The user has no verified address to send a link to.")

    call.ctx.record(Event.PASSWORD_RESET_ASKED, user_id=user.id)
    return empty(202)


def reset_factors(call: Call) -> Response:
    """Take every second factor from somebody who lost them."""
    user = other(call, opens=True)

    removed = endings.reset_factors(call.ctx.db, user.id, call.ctx.now)

    call.ctx.record(Event.FACTORS_RESET, user_id=user.id, factors=removed)
    return empty(204)


def end_sessions(call: Call) -> Response:
    """Sign somebody out everywhere; what lives offline goes on."""
    user = other(call)

    endings.end_sessions_of_user(call.ctx.db, user.id, call.ctx.now)

    call.ctx.record(Event.SIGNED_OUT, user_id=user.id, session_id="all")
    return empty(204)


def give_role(call: Call) -> Response:
    """Give a role that gives nothing which the caller lacks."""
    user, role = other(call), call.path["role"]
    _may_give(call, role)

    if roles.assign(call.ctx.db, user.id, role, call.ctx.now):
        call.ctx.record(Event.ROLE_GIVEN, user_id=user.id, role=role)
    return empty(204)


def take_role(call: Call) -> Response:
    """Take a role; the last administrator keeps theirs."""
    user, role = other(call), call.path["role"]
    if role == roles.USER:
        raise ProblemError(types.CONFLICT, "Everybody has this role.")

    if not endings.withdraw_role(call.ctx.db, user.id, role):
        raise ProblemError(types.NOT_FOUND, "The user does not have this role.")

    call.ctx.record(Event.ROLE_TAKEN, user_id=user.id, role=role)
    return empty(204)


def _may_give_all(call: Call, names: Sequence[str]) -> None:
    """Roles of a new account take what giving them to an old one takes: scope, and role for it."""
    for role in names:
        _may_give(call, role)


def _may_give(call: Call, role: str) -> None:
    try:
        may_give(call, role)
    except UnknownRoleError as error:
        raise ProblemError(types.NOT_FOUND, str(error)) from None


def _edit(call: Call, user: User, body: Any) -> None:
    """Write down the claims that the body names."""
    verified = body.phone_number_verified if _names(body, "phone_number_verified") else None
    users.edit(call.ctx.db, user.id, body.named(), call.ctx.now, phone_number_verified=verified)


def _names(body: Claims, member: str) -> bool:
    return member in body.model_fields_set


def _state(user: User) -> dict[str, Any]:
    """What a change may change, for the audit log."""
    return told(user, []).model_dump(mode="json", exclude={"roles", "updated_at"})
