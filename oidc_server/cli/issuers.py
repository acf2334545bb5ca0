"""`oidc-server issuers`: whose assertions about our users are believed."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oidc_server.cli.confirmation import Yes, confirm
from oidc_server.cli.json_files import read_json
from oidc_server.cli.output import Json, show, show_all
from oidc_server.cli.workshop import workshop
from oidc_server.domain import trusted_issuers
from oidc_server.domain.audit import Event
from oidc_server.domain.trusted_issuers import TrustedIssuer

application = typer.Typer(no_args_is_help=True)
Issuer = Annotated[str, typer.Argument(help="The iss of its assertions.")]


class Subject(StrEnum):
    """What the sub of an assertion is."""

    SUB = "sub"
    EMAIL = "email"


@application.command("add")
def add(
    issuer: Issuer,
    *,
    jwks: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="File of its public keys (a JWKS)."),
    ] = None,
    jwks_uri: Annotated[str | None, typer.Option(help="Its jwks_uri.")] = None,
    audience: Annotated[
        str | None, typer.Option(help="A further value of aud that is accepted.")
    ] = None,
    subject: Annotated[
        Subject, typer.Option(help="What its sub is: our sub of a user, or a verified address.")
    ] = Subject.SUB,
    as_json: Json = False,
) -> None:
    """Trust the assertions of an issuer. It can speak for every user."""
    keys = read_json(jwks, "--jwks")
    with workshop() as tools:
        added = trusted_issuers.add(
            tools.db,
            issuer=issuer,
            jwks=keys,
            jwks_uri=jwks_uri,
            audience=audience,
            subject=subject.value,
            now=tools.now,
        )
        tools.record(Event.ISSUER_TRUSTED, issuer=issuer)
    show(_facts(added), as_json=as_json)


@application.command("list")
def list_issuers(*, as_json: Json = False) -> None:
    """List the trusted issuers."""
    with workshop() as tools:
        rows = [_facts(issuer) for issuer in trusted_issuers.list_issuers(tools.db)]
    show_all(rows, as_json=as_json)


@application.command("remove")
def remove(issuer: Issuer, *, yes: Yes = False, as_json: Json = False) -> None:
    """Trust an issuer no more."""
    confirm(f"Forget {issuer} and its keys?", yes=yes, as_json=as_json)
    with workshop() as tools:
        trusted_issuers.remove(tools.db, issuer)
        tools.record(Event.ISSUER_REMOVED, issuer=issuer)
    show({"issuer": issuer, "removed": True}, as_json=as_json)


def _facts(issuer: TrustedIssuer) -> dict[str, object]:
    return {
        "issuer": issuer.issuer,
        "keys": issuer.jwks_uri or len((issuer.jwks or {}).get("keys", ())),
        "audience": issuer.audience,
        "subject": issuer.subject,
        "created_at": issuer.created_at.isoformat(timespec="seconds"),
    }
