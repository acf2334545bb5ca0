"""The client that /docs signs people in with, on a server for trying things."""

from dataclasses import replace
from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.dev.records import Records
from oidc_server.domain import client_metadata, clients
from oidc_server.domain.client_metadata import STANDARD_SCOPES
from oidc_server.oauth2.vocabulary import API_SCOPES
from oidc_server.security import opaque_tokens
from oidc_server.settings import Settings


def register(db: Transaction, settings: Settings, redirect_uri: str, now: datetime) -> str:
    """The `client_id` for this issuer, made when there is none; it may ask for every scope."""
    records = Records(settings.data_dir / "dev-app" / "documentation")
    name = opaque_tokens.digest(settings.issuer).hex()
    scopes = frozenset({*STANDARD_SCOPES, *API_SCOPES})
    document = records.get(name)
    client = None if document is None else clients.find(db, document["client_id"])
    if client is None:
        metadata = client_metadata.for_type(
            "spa",
            client_name="API documentation",
            redirect_uris=[redirect_uri],
            scopes=scopes,
        )
        made = clients.create(db, client_type="spa", metadata=metadata, now=now)
        records.put(name, {"client_id": made.client.client_id})
        return made.client.client_id
    if client.metadata.scopes != scopes:
        clients.change(db, client.client_id, metadata=replace(client.metadata, scopes=scopes))
    return client.client_id
