"""Clients against RFC 9700: a line for each shortcoming, and one for all that have none."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from oidc_server.cli.doctor.findings import Finding
from oidc_server.domain import clients

_OLD_SECRET = timedelta(days=365)


def rate_clients(
    found: Sequence[clients.Client],
    secrets: dict[str, datetime],
    now: datetime,
    *,
    is_loopback: bool = True,
) -> list[Finding]:
    """`secrets` says when the newest secret of a client was made."""
    told: list[Finding] = []
    good = 0
    for client in found:
        weak = list(_weaknesses(client, secrets.get(client.client_id), now, is_loopback))
        told += [Finding(f"client {client.client_id}", "warn", words) for words in weak]
        good += not weak
    if good:
        told.append(Finding("clients", "ok", f"{good} of {len(found)} do as RFC 9700 asks."))
    return told


def _weaknesses(
    client: clients.Client, secret_made_at: datetime | None, now: datetime, is_loopback: bool
) -> Iterator[str]:
    if client.disabled_at is not None:
        return
    metadata = client.metadata
    if not metadata.require_pkce:
        yield (
            "It may go without PKCE (RFC 9700 §2.1.1);"
            " when it sends code_challenge, set require_pkce: oidc-server clients edit --metadata"
        )
    if client.allows_grant("password"):
        yield (
            "It uses the password grant (RFC 9700 §2.4);"
            " let people sign in with authorization_code instead."
        )
    hosts = {urlsplit(uri).hostname for uri in metadata.redirect_uris if uri.startswith("http:")}
    if client.type in ("web", "spa") and hosts and not is_loopback:
        yield (
            "It redirects to this very machine without TLS (RFC 9700 §2.1), as when it is"
            " developed; keep a client of its own for that."
        )
    if secret_made_at is not None and secret_made_at < now - _OLD_SECRET:
        yield (
            f"Its secret is of {secret_made_at:%Y-%m-%d}: oidc-server clients rotate-secret,"
            " or private_key_jwt, which needs none (RFC 9700 §2.5)."
        )
