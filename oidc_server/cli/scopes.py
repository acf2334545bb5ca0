"""Scopes that an operator types: one that nobody knows is refused, and the nearest one named."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

import typer

from oidc_server.database import Transaction
from oidc_server.domain.client_metadata import InvalidClientMetadataError
from oidc_server.oauth2.requested import scopes_of_clients


def scope_option(text: str) -> Any:
    """The option `--scope`: scopes with spaces between, once or several times."""
    return typer.Option(metavar="<str>", help=f"{text} With spaces between; may be repeated.")


def split(said: Iterable[str]) -> frozenset[str]:
    """The scopes that `--scope` names, all its times together."""
    return frozenset(" ".join(said).split())


def require_known(db: Transaction, scopes: Iterable[str]) -> None:
    """Raises `InvalidClientMetadataError` for a scope that neither we nor a resource server has."""
    if (problem := next(unknown(db, scopes), None)) is not None:
        raise InvalidClientMetadataError(problem)


def unknown(db: Transaction, scopes: Iterable[str]) -> Iterator[str]:
    """A sentence for each scope that neither we nor a resource server has."""
    known = scopes_of_clients(db)
    for scope in sorted(frozenset(scopes) - known):
        close = difflib.get_close_matches(scope, sorted(known), n=1)
        hint = (
            f"did you mean {close[0]}?" if close else "add the resource server that has it first."
        )
        yield f"There is no scope {scope}; {hint}"
