"""`oidc-server users invite`: let somebody make an account where not everybody may."""

from datetime import timedelta
from typing import Annotated

import typer

from oidc_server.cli.output import Json, fail, show
from oidc_server.cli.workshop import workshop
from oidc_server.domain import audit, invitations
from oidc_server.domain.audit import COMMAND_LINE, Event
from oidc_server.domain.invitations import LONGEST
from oidc_server.domain.links import Purpose
from oidc_server.security.signed_links import LinkSigner
from oidc_server.settings.values import parse_duration


def invite(
    *,
    email: Annotated[
        str | None, typer.Option(help="Mail the link to this address, which it proves.")
    ] = None,
    role: Annotated[str | None, typer.Option(help="A role to give as well.")] = None,
    expires: Annotated[str, typer.Option(help="When it ends, such as 12h or 30d.")] = "7d",
    as_json: Json = False,
) -> None:
    """Invite somebody to make an account, once.

    Without an address, the link is shown this once, to be handed over.
    """
    lifetime = _lifetime(expires)
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
        audit.record(
            tools.db,
            Event.INVITATION_CREATED,
            origin=COMMAND_LINE,
            now=tools.now,
            invitation_id=made.id,
            role=role,
        )
        value = LinkSigner(tools.settings.secret_keys).sign(Purpose.INVITATION, made.id)
        link = f"{tools.settings.issuer}/sign-up?link={value}"
    facts = {
        "id": made.id,
        "email": made.email,
        "role": made.role,
        "expires_at": made.expires_at.isoformat(timespec="seconds"),
    }
    show(facts if made.email else {**facts, "link": link}, as_json=as_json)


def _lifetime(text: str) -> timedelta:
    try:
        lifetime = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not timedelta() < lifetime <= LONGEST:
        raise typer.BadParameter(f"choose at most {LONGEST.days}d")
    return lifetime
