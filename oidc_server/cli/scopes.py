"""Scopes that an operator types: one that nobody knows is refused, and the nearest one named."""

import difflib
from collections.abc import Iterable

from oidc_server.database import Transaction
from oidc_server.domain.client_metadata import InvalidClientMetadataError
from oidc_server.oauth2.requested import scopes_of_clients


def require_known(db: Transaction, scopes: Iterable[str]) -> None:
    """Raises `InvalidClientMetadataError` for a scope that neither we nor a resource server has."""
    known = scopes_of_clients(db)
    for scope in sorted(frozenset(scopes) - known):
        close = difflib.get_close_matches(scope, sorted(known), n=1)
        hint = (
            f"did you mean {close[0]}?" if close else "add the resource server that has it first."
        )
        raise InvalidClientMetadataError(f"There is no scope {scope}; {hint}")
