"""`oidc-server users invite` and what follows: who may make an account where not everybody may."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

import typer

from oidc_server.cli.lifetimes import Expires, read_lifetime
from oidc_server.cli.output import Json, fail, show, show_all
from oidc_server.cli.workshop import workshop
from oidc_server.domain import invitations
from oidc_server.domain.audit import Event
from oidc_server.domain.invitations import LONGEST, Invitation
from oidc_server.domain.links import Purpose
from oidc_server.security.signed_links import LinkSigner

_NOT_MAILED = (
    "No mail goes to this address: no mail server is set (OIDC_SMTP_URL). Hand the link over"
    " yourself to whoever reads it: using the link proves the address."
)


def invite(
    *,
    email: Annotated[
        str | None, typer.Option(help="Mail the link to this address, which it proves.")
    ] = None,
    role: Annotated[str | None, typer.Option(help="A role to assign as well.")] = None,
    expires: Expires = "7d",
    as_json: Json = False,
) -> None:
    """Invite somebody to make an account, once.

    Without an address, or without a mail server, the link is shown this once, to be handed over.
    """
    lifetime = read_lifetime(expires, LONGEST)
    with workshop() as tools:
        if tools.settings.sign_up == "closed":
            fail("Sign-up is closed (OIDC_SIGN_UP): nobody could use it.", as_json=as_json)
        made = invitations.create(
            tools.db,
            email=email,
            role=role,
            invited_by=None,
            lifetime=lifetime,
            now=tools.now,
        )
        tools.record(Event.INVITATION_CREATED, invitation_id=made.id, role=role)
        value = LinkSigner(tools.settings.secret_keys).sign(Purpose.INVITATION, made.id)
        link = f"{tools.settings.issuer}/sign-up?link={value}"
        facts = _facts(made, tools.now)
        is_mailed = made.email is not None and tools.settings.smtp_server is not None
    show(facts if is_mailed else {**facts, "link": link}, as_json=as_json)
    if made.email is not None and not is_mailed:
        typer.echo(_NOT_MAILED, err=True)


def list_invitations(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 200,
    as_json: Json = False,
) -> None:
    """List invitations, newest first, used ones included."""
    with workshop() as tools:
        found = invitations.page(tools.db, limit)
        rows = [_facts(invitation, tools.now) for invitation in found]
    show_all(rows, as_json=as_json)


def revoke_invitation(invitation_id: str, *, as_json: Json = False) -> None:
    """Revoke an open invitation: its link stops working."""
    with workshop() as tools:
        if not invitations.revoke(tools.db, invitation_id, tools.now):
            fail(f"There is no invitation {invitation_id} that is open.", as_json=as_json)
        tools.record(Event.INVITATION_REVOKED, invitation_id=invitation_id)
    show({"id": invitation_id, "state": "revoked"}, as_json=as_json)


COMMANDS: Mapping[str, Callable[..., None]] = {
    "invite": invite,
    "list-invitations": list_invitations,
    "revoke-invitation": revoke_invitation,
}


def _facts(invitation: Invitation, now: datetime) -> dict[str, object]:
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "state": invitation.state(now),
        "expires_at": invitation.expires_at.isoformat(timespec="seconds"),
    }
