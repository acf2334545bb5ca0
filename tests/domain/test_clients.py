"""What is told of a client is what is stored of it."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from oidc_server.database import ConflictError, Database
from oidc_server.domain import client_metadata, client_registrations, clients, consents, endings
from oidc_server.domain.clients import ClientType
from oidc_server.domain.consents import Permission
from oidc_server.security.encryption import Vault
from tests.domain.conftest import NOW
from tests.domain.test_endings import start
from tests.held_up import held_up

LONG_ENOUGH = 2.0
"""Seconds in which access is given, or waits for somebody."""


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


def test_who_deletes_a_client_and_who_takes_its_leave_back_wait_for_each_other_in_turn(
    database: Database, ada: str
) -> None:
    metadata = client_metadata.for_type("service", client_name="Till")
    with database.transaction("write") as db:
        client = clients.create(db, client_type="service", metadata=metadata, now=NOW).client
        consents.remember(db, ada, client, Permission(frozenset({"openid"})), NOW)
    start(database, ada, [client.client_id])

    def delete() -> None:
        with database.transaction("write") as db:
            client_registrations.delete_client(db, client.client_id, NOW)

    with database.transaction("write") as db:
        assert consents.withdraw(db, ada, client.client_id)
        deleting = held_up(delete)
        assert endings.withdraw_client(db, ada, client.client_id, NOW)
    deleting()

    with database.transaction("read") as db:
        assert clients.find(db, client.client_id) is None


def test_a_client_is_given_access_while_it_is_being_changed(database: Database, ada: str) -> None:
    metadata = client_metadata.for_type("service", client_name="Till")
    with database.transaction("write") as db:
        made = clients.create(db, client_type="service", metadata=metadata, now=NOW)
    client_id = made.client.client_id

    with ThreadPoolExecutor(1) as beside, database.transaction("write") as db:
        clients.change(db, client_id, metadata=replace(metadata, client_name="Desk"))
        giving = beside.submit(start, database, ada, [client_id])
        wait([giving], LONG_ENOUGH)
        is_given = giving.done()

    assert giving.result()
    assert is_given or database.is_sqlite  # where one writes at a time


def test_nobody_gets_the_secret_of_a_client_that_may_more_since_they_were_let_in(
    database: Database,
) -> None:
    metadata = client_metadata.for_type("service", client_name="Till")
    with database.transaction("write") as db:
        seen = clients.create(db, client_type="service", metadata=metadata, now=NOW).client
    with database.transaction("write") as db:
        clients.change(db, seen.client_id, metadata=replace(metadata, may_introspect=True))

    with pytest.raises(ConflictError), database.transaction("write") as db:
        clients.rotate_secret(db, seen.client_id, now=NOW, overlap=timedelta(), seen=seen)
