"""What people allowed clients, on both databases."""

from dataclasses import replace

from oidc_server.database import Database
from oidc_server.domain import client_metadata, clients, consents
from oidc_server.domain.consents import Permission
from tests.domain.conftest import NOW


def allowed(*scopes: str) -> Permission:
    return Permission(frozenset(scopes))


def test_what_was_allowed_adds_up_until_the_client_comes_by_another_name(
    database: Database, ada: str
) -> None:
    with database.transaction("write") as db:
        metadata = client_metadata.for_type(
            "web", client_name="Shop", redirect_uris=("https://app.example.net/callback",)
        )
        shop = clients.create(db, client_type="web", metadata=metadata, now=NOW).client
        consents.remember(db, ada, shop, allowed("openid"), NOW)
        consents.remember(db, ada, shop, allowed("email"), NOW)
        before = consents.find(db, ada, shop)
        renamed = clients.change(
            db, shop.client_id, metadata=replace(metadata, client_name="Another shop")
        )
        consents.remember(db, ada, renamed, allowed("profile"), NOW)

        assert before == allowed("openid", "email")
        assert consents.find(db, ada, renamed) == allowed("profile")
