"""Clients against RFC 9700: a line for each shortcoming, and one for all that have none."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from oidc_server.cli.doctor.findings import Finding, edit_client, named
from oidc_server.domain import client_metadata, clients
from oidc_server.settings import Settings

_OLD_SECRET = timedelta(days=365)


def rate_clients(
    enabled: Iterable[clients.Client],
    now: datetime,
    settings: Settings,
    own_redirects: frozenset[str],
) -> list[Finding]:
    """Lines for these clients, none of which is kept.

    `own_redirects` are addresses of pages of ours that are clients themselves.
    """
    told: list[Finding] = []
    looked_at = good = 0
    for client in enabled:
        weak = [
            *_weak_grants(client),
            *_weak_redirects(client, own_redirects, settings),
            *_weak_secret(client.newest_secret_at, now),
        ]
        told += [Finding(f"client {named(client)}", "warn", words) for words in weak]
        looked_at += 1
        good += not weak
    if good:
        told.append(Finding("clients", "ok", f"{good} of {looked_at} do as RFC 9700 asks."))
    return told


def _weak_grants(client: clients.Client) -> Iterator[str]:
    metadata = client.metadata
    if not metadata.require_pkce:
        yield (
            "It may go without PKCE (RFC 9700 §2.1.1);"
            f" when it sends code_challenge, set require_pkce: {edit_client(require_pkce=True)}"
        )
    if client.allows_grant("password"):
        yield (
            "It uses the password grant (RFC 9700 §2.4);"
            " let people sign in with authorization_code instead."
        )
    claimed = all(uri.startswith("https:") for uri in metadata.redirect_uris)
    if client.type == "native" and metadata.skip_consent and not claimed:
        yield (
            "Nobody is asked for consent, though another app on the device can pose as it"
            f" (RFC 8252 §8.6); set skip_consent to false: {edit_client(skip_consent=False)}"
        )


def _weak_redirects(
    client: clients.Client, own_redirects: frozenset[str], settings: Settings
) -> Iterator[str]:
    uris = [uri for uri in client.metadata.redirect_uris if uri not in own_redirects]
    for uri in uris:
        # A rule may be newer than the client, and imports are not held to it.
        problem = client_metadata.redirect_uri_problem(client.type, uri)
        if problem is not None:
            yield (
                f"It redirects to {uri}, which would not be accepted today (RFC 9700 §2.1):"
                f" {problem} Replace it: oidc-server clients edit CLIENT_ID --redirect-uri URI"
            )
    if client.type in ("web", "spa") and not settings.is_loopback:
        if any(uri.startswith("http:") for uri in uris):
            yield (
                "It redirects to loopback without TLS (RFC 9700 §2.1), as in development;"
                " use another client for that."
            )
        ours = client_metadata.origin_of(settings.issuer)
        if any(client_metadata.origin_of(uri) == ours for uri in uris):
            yield (
                "It is at our own origin, so its scripts can do whatever our pages can"
                " (RFC 6454 §8.2); give it a host of its own."
            )


def _weak_secret(made_at: datetime | None, now: datetime) -> Iterator[str]:
    if made_at is not None and made_at < now - _OLD_SECRET:
        yield (
            f"Its secret is of {made_at:%Y-%m-%d}: oidc-server clients rotate-secret,"
            " or private_key_jwt, which needs none (RFC 9700 §2.5)."
        )
