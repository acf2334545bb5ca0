"""`oidc-server users`: what is done to an account after it was made."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from oidc_server.cli.confirmation import Yes, confirm
from oidc_server.cli.new_password import PasswordStdin, new_password_hash
from oidc_server.cli.output import Json, fail, show
from oidc_server.cli.workshop import Workshop, workshop
from oidc_server.domain import endings, roles, user_directory, users
from oidc_server.domain.audit import Event
from oidc_server.domain.users import User

Named = Annotated[str, typer.Argument(help="The id, the username, or a verified address.")]
RoleName = Annotated[str, typer.Argument(help="The name of the role.")]


def show_user(named: Named, *, as_json: Json = False) -> None:
    """Show an account."""
    with account_of(named, as_json=as_json) as (tools, user):
        facts = facts_of(user, roles.roles_of(tools.db, user.id))
    show(facts, as_json=as_json)


def disable(named: Named, *, as_json: Json = False) -> None:
    """Disable an account; its sessions and tokens end."""
    with _changed(named, Event.USER_DISABLED, as_json=as_json) as (tools, user):
        endings.disable_user(tools.db, user.id, tools.now)


def enable(named: Named, *, as_json: Json = False) -> None:
    """Enable an account again; what ended stays ended."""
    with _changed(named, Event.USER_ENABLED, as_json=as_json) as (tools, user):
        endings.enable_user(tools.db, user.id, tools.now)


def delete(
    named: Named,
    *,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete an account, at once and for good."""
    confirm(f"Delete {named} for good?", yes=yes, as_json=as_json)
    with account_of(named, as_json=as_json) as (tools, user):
        endings.delete_user(tools.db, user.id, tools.now)
        tools.record(Event.USER_DELETED, user_id=user.id)
    show({"id": user.id, "deleted": True}, as_json=as_json)


def rename(
    named: Named,
    username: Annotated[str, typer.Argument(help="The new username.")],
    *,
    as_json: Json = False,
) -> None:
    """Give an account another username."""
    with _changed(named, Event.USER_EDITED, as_json=as_json) as (tools, user):
        endings.rename_user(tools.db, user.id, username, tools.now)


def set_email(
    named: Named,
    email: Annotated[str, typer.Argument(help="The new address.")],
    *,
    verified: Annotated[
        bool, typer.Option("--verified", help="Take the address as verified.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give an account another address."""
    with _changed(named, Event.USER_EDITED, as_json=as_json) as (tools, user):
        endings.set_email(tools.db, user.id, email, tools.now, verified=verified)


def set_password(
    named: Named, *, password_stdin: PasswordStdin = False, as_json: Json = False
) -> None:
    """Set a password: what the old one opened ends."""
    with account_of(named, as_json=as_json) as (_, user):
        known_by = [user.username, user.email or "", user.name or ""]
    password_hash = new_password_hash(
        known_by, from_stdin=password_stdin, made_elsewhere=False, as_json=as_json
    )
    with _changed(named, Event.PASSWORD_CHANGED, as_json=as_json) as (tools, user):
        endings.change_password(tools.db, user.id, password_hash, tools.now)


def reset_password(named: Named, *, as_json: Json = False) -> None:
    """Remove a password, and mail a link to choose another."""
    with _changed(named, Event.PASSWORD_RESET_ASKED, as_json=as_json) as (tools, user):
        if not endings.reset_password(tools.db, user.id, tools.now, tools.settings.link_lifetime):
            way = "choose a password for them: oidc-server users set-password"
            fail(f"{named} has no verified address to send a link to; {way}", as_json=as_json)


def reset_factors(named: Named, *, as_json: Json = False) -> None:
    """Remove every second factor of somebody."""
    with _changed(named, Event.FACTORS_RESET, as_json=as_json) as (tools, user):
        endings.reset_factors(tools.db, user.id, tools.now)


def end_sessions(named: Named, *, as_json: Json = False) -> None:
    """Sign somebody out everywhere."""
    with _changed(named, Event.SIGNED_OUT, as_json=as_json, session_id="all") as (tools, user):
        endings.end_sessions_of_user(tools.db, user.id, tools.now)


def give_role(named: Named, role: RoleName, *, as_json: Json = False) -> None:
    """Give somebody a role."""
    with _changed(named, Event.ROLE_GIVEN, as_json=as_json, role=role) as (tools, user):
        roles.assign(tools.db, user.id, role, tools.now)


def take_role(named: Named, role: RoleName, *, as_json: Json = False) -> None:
    """Take a role from somebody."""
    with _changed(named, Event.ROLE_TAKEN, as_json=as_json, role=role) as (tools, user):
        if not endings.withdraw_role(tools.db, user.id, role):
            fail(f"{named} does not have the role {role}, or cannot lose it.", as_json=as_json)


COMMANDS: dict[str, Callable[..., None]] = {
    "show": show_user,
    "disable": disable,
    "enable": enable,
    "delete": delete,
    "rename": rename,
    "set-email": set_email,
    "set-password": set_password,
    "reset-password": reset_password,
    "reset-factors": reset_factors,
    "end-sessions": end_sessions,
    "give-role": give_role,
    "take-role": take_role,
}
"""By name, as `users.py` offers them."""


def facts_of(user: User, held: frozenset[str]) -> dict[str, object]:
    """What commands print of an account."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "email_verified": user.email_verified_at is not None,
        "name": user.name,
        "roles": sorted(held),
        "disabled": user.disabled_at is not None,
        "created_at": user.created_at.isoformat(timespec="seconds"),
    }


@contextmanager
def account_of(named: str, *, as_json: bool) -> Iterator[tuple[Workshop, User]]:
    """Whom the argument names; ends the command if it is nobody."""
    with workshop() as tools:
        user = user_directory.find(tools.db, named)
        if user is None:
            fail(f"There is no account {named}.", as_json=as_json)
        yield tools, user


@contextmanager
def _changed(
    named: str, event: Event, *, as_json: bool, **detail: Any
) -> Iterator[tuple[Workshop, User]]:
    """Have a change made; then write down what it did, and show the account."""
    with account_of(named, as_json=as_json) as (tools, user):
        before = facts_of(user, frozenset())
        yield tools, user
        changed = users.get(tools.db, user.id)
        tools.record(
            event, user_id=user.id, before=before, after=facts_of(changed, frozenset()), **detail
        )
        facts = facts_of(changed, roles.roles_of(tools.db, changed.id))
    show(facts, as_json=as_json)
