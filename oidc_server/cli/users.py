"""`oidc-server users`: make and list accounts; and the link that sets the server up."""

from collections.abc import Iterator
from typing import Annotated

import typer

from oidc_server.cli import invitations, user_changes
from oidc_server.cli.new_password import (
    PasswordHashStdin,
    PasswordStdin,
    new_password_hash,
)
from oidc_server.cli.output import Json, fail, show, show_batches
from oidc_server.cli.profile_options import Profile, takes_profile, told
from oidc_server.cli.setup_url import setup_url
from oidc_server.cli.user_changes import Named, account_of, facts_of
from oidc_server.cli.user_import import import_users
from oidc_server.cli.workshop import Workshop, workshop
from oidc_server.database import Transaction
from oidc_server.domain import links, roles, user_directory, users
from oidc_server.domain.audit import Event
from oidc_server.domain.user_directory import Wanted
from oidc_server.domain.users import User

_AT_ONCE = 500

application = typer.Typer(no_args_is_help=True)
application.command("import")(import_users)
for _commands in (invitations.COMMANDS, user_changes.COMMANDS):
    for _name, _command in _commands.items():
        application.command(_name)(_command)


@application.command("add")
@takes_profile
def add(
    *,
    username: Annotated[str, typer.Option(help="The name to sign in with.")],
    email: Annotated[str, typer.Option(help="The address for mails.")],
    admin: Annotated[bool, typer.Option("--admin", help="Give them the role admin.")] = False,
    verified: Annotated[
        bool, typer.Option("--verified", help="Take the address as verified.")
    ] = False,
    password_stdin: PasswordStdin = False,
    password_hash_stdin: PasswordHashStdin = False,
    as_json: Json = False,
    profile: Profile,
) -> None:
    """Make an account."""
    refusals = users.refusals(username=username, email=email, claims=profile.changes())
    if refusals:  # told before somebody at the terminal thinks of a password
        fail("\n".join(map(str, refusals)), as_json=as_json)
    password_hash = new_password_hash(
        (username, email),
        from_stdin=password_stdin,
        made_elsewhere=password_hash_stdin,
        as_json=as_json,
    )
    with workshop() as tools:
        user = users.create(
            tools.db,
            username=username,
            email=email,
            name=profile.claims.get("name"),
            password_hash=password_hash,
            now=tools.now,
            email_verified=verified,
        )
        _tell(tools, user, profile)
        if admin:
            roles.assign(tools.db, user.id, roles.ADMIN, tools.now)
        tools.record(Event.USER_CREATED, user_id=user.id)
        if admin:
            tools.record(Event.ROLE_GIVEN, user_id=user.id, role=roles.ADMIN)
        facts = facts_of(user, roles.roles_of(tools.db, user.id))
    show({**facts, **told(user)}, as_json=as_json)


@application.command("edit")
@takes_profile
def edit(
    named: Named,
    *,
    as_json: Json = False,
    profile: Profile,
) -> None:
    """Change what apps are told of a person.

    An empty value removes one.
    """
    with account_of(named, as_json=as_json) as (tools, user):
        was = told(user)
        _tell(tools, user, profile)
        tools.record(Event.USER_EDITED, user_id=user.id, before=was, after=told(user))
        facts = facts_of(user, roles.roles_of(tools.db, user.id))
    show({**facts, **told(user)}, as_json=as_json)


@application.command("list")
def list_users(*, as_json: Json = False) -> None:
    """List the accounts by username, however many there are.

    In JSON it is one array, an account on each line.
    """
    with workshop("read") as tools:
        show_batches(_everybody(tools.db), as_json=as_json)


def _everybody(db: Transaction) -> Iterator[list[dict[str, object]]]:
    """In batches, so that no number of people is too large to be held."""
    place = None
    while True:
        page = user_directory.page(db, Wanted(), _AT_ONCE, place)
        held = user_directory.roles_of_all(db, page.users)
        yield [facts_of(user, frozenset(held[user.id])) for user in page.users]
        db.session.expunge_all()
        if page.next is None:
            return
        place = page.next


def setup_link(*, as_json: Json = False) -> None:
    """Print the link that makes the first administrator."""
    with workshop() as tools:
        link_id = links.open_setup(tools.db, tools.now)
        if link_id is None:
            fail("This server is set up: there is an administrator.", as_json=as_json)
        tools.record(Event.SETUP_LINK_SHOWN)
        link = setup_url(tools.settings, link_id)
    show({"setup_link": link}, as_json=as_json)


def _tell(tools: Workshop, user: User, profile: Profile) -> None:
    """Write down what was given of the profile; members of the address join those there are."""
    users.edit(
        tools.db,
        user.id,
        profile.changes(user.address),
        tools.now,
        phone_number_verified=profile.phone_number_verified,
    )
