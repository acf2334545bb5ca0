"""What is told of a client is what is stored of it."""

from dataclasses import replace
from typing import Any

import pytest

from oidc_server.database import ConflictError, Database
from oidc_server.domain import client_metadata, client_registrations, clients
from oidc_server.domain.clients import ClientType
from oidc_server.security.encryption import Vault
from tests.domain.conftest import NOW


@pytest.mark.parametrize(
    ("client_type", "changes"),
    [
        ("web", {}),
        ("web", {"token_endpoint_auth_method": "client_secret_jwt"}),
        ("web", {"contacts": ("ada@example.com",), "default_max_age": 60}),
        ("spa", {}),
    ],
    ids=["secret", "secret that signs", "further metadata", "no secret"],
)
def test_a_client_that_was_just_made_is_what_everybody_else_reads(
    database: Database, client_type: ClientType, changes: dict[str, Any]
) -> None:
    metadata = client_metadata.for_type(
        client_type,
        client_name="Ledger",
        redirect_uris=("https://app.example.net/callback",),
        **changes,
    )
    vault = Vault(("a secret of the operator that is long",))
    with database.transaction("write") as db:
        made = clients.create(
            db,
            client_type=client_type,
            metadata=metadata,
            now=NOW,
            vault=vault,
            registration_digest=b"digest",
        )

    with database.transaction("read") as db:
        found = clients.find(db, made.client.client_id)
        knows_origin = clients.is_origin(db, "https://app.example.net")
    assert found == made.client
    assert knows_origin == (client_type == "spa")
    if made.client_secret is not None:
        assert made.client.knows_secret(made.client_secret, NOW)


def test_what_was_judged_by_an_earlier_revision_undoes_no_later_change(database: Database) -> None:
    """An operator changes a client that sends other metadata of itself at the same moment."""
    vault = Vault(("a secret of the operator that is long",))
    metadata = client_metadata.for_type(
        "web", client_name="Ledger", redirect_uris=("https://app.example.net/callback",)
    )
    with database.transaction("write") as db:
        client_id = clients.create(
            db, client_type="web", metadata=metadata, now=NOW, vault=vault
        ).client.client_id
    with database.transaction("read") as db:
        seen = clients.load(db, client_id)
    with database.transaction("write") as db:
        clients.change(db, client_id, metadata=replace(metadata, may_introspect=True))

    renamed = replace(seen.metadata, client_name="Books")
    with pytest.raises(ConflictError), database.transaction("write") as db:
        client_registrations.replace(db, seen, renamed, now=NOW, vault=vault)

    with database.transaction("read") as db:
        assert clients.load(db, client_id).metadata.may_introspect
