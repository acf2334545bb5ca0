"""Other providers, when two operators describe them at once."""

from dataclasses import replace

import pytest

from oidc_server.database import ConflictError, Database, Transaction
from oidc_server.domain import endings, identity_providers
from oidc_server.domain.identity_providers import Description, IdentityProvider
from oidc_server.security.encryption import Vault
from tests.domain.conftest import NOW
from tests.domain.racing import race

VAULT = Vault(("a secret of the tests, long enough to be one",))
ACME = Description(label="Acme", client_id="us", token_endpoint_auth_method="none")


def add(db: Transaction) -> IdentityProvider:
    return identity_providers.add(
        db,
        VAULT,
        name="acme",
        issuer="https://accounts.acme.example",
        description=ACME,
        client_secret=None,
        now=NOW,
    )


def test_a_provider_that_was_shut_meanwhile_is_not_opened_by_a_description(
    database: Database,
) -> None:
    with database.transaction("write") as db:
        seen = add(db)
    with database.transaction("write") as db:
        identity_providers.disable(db, seen, NOW)

    with database.transaction("write") as db:
        identity_providers.edit(db, VAULT, seen, replace(ACME, label="Acme Inc."), NOW)

    with database.transaction("read") as db:
        assert identity_providers.find_enabled(db, "acme") is None


def test_a_description_undoes_no_other_that_was_written_meanwhile(database: Database) -> None:
    with database.transaction("write") as db:
        seen = add(db)
    with database.transaction("write") as db:
        identity_providers.edit(db, VAULT, seen, replace(ACME, sign_up=False), NOW)

    with pytest.raises(ConflictError), database.transaction("write") as db:
        identity_providers.edit(db, VAULT, seen, replace(ACME, label="Acme Inc."), NOW)

    with database.transaction("read") as db:
        assert not identity_providers.get(db, "acme").sign_up


def test_a_provider_that_was_opened_meanwhile_is_shut_and_removed_all_the_same(
    database: Database,
) -> None:
    with database.transaction("write") as db:
        seen = add(db)
        identity_providers.disable(db, seen, NOW)
        seen = identity_providers.get(db, "acme")
    with database.transaction("write") as db:
        assert identity_providers.enable(db, seen, NOW)

    with database.transaction("write") as db:
        assert identity_providers.disable(db, seen, NOW)
        endings.remove_provider(db, seen, NOW)

    with database.transaction("read") as db:
        assert identity_providers.find(db, "acme") is None


def try_to_add(database: Database, _name: str) -> str:
    try:
        with database.transaction("write") as db:
            add(db)
    except (ConflictError, identity_providers.InvalidProviderError):
        return "there already"
    return "added"


@pytest.mark.race
def test_of_two_who_add_one_provider_at_once_one_does_and_the_other_is_told(
    database: Database,
) -> None:
    assert sorted(race(try_to_add, database)) == ["added", "there already"]
