"""What guards the server against floods and failing neighbours."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from oidc_server.settings.model.group import Group
from oidc_server.settings.values import Duration, between

_PerMinute = Annotated[int, Field(ge=1, le=10_000_000)]


def _check_redis_url(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    if not _is_redis_url(value.get_secret_value()):
        raise ValueError("write redis://user:password@host:6379/0, rediss://… or unix:///path")
    return value


def _is_redis_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_is_none_or_a_number = parts.port != 0
    except ValueError:
        return False
    if parts.scheme == "unix":
        return bool(parts.path)
    return port_is_none_or_a_number and bool(parts.hostname) and parts.scheme in ("redis", "rediss")


class ProtectionSettings(Group):
    """Limits and breakers."""

    rate_limits: bool = True
    """`off` lifts all rate limits; for measurements only."""

    redis_url: Annotated[SecretStr | None, AfterValidator(_check_redis_url)] = Field(
        None, json_schema_extra={"default": "each process counts for itself"}
    )
    """`redis://user:password@host:6379/0`, `rediss://…` or `unix:///path`: where all processes and
    nodes count together. While it is away, each of them counts for itself."""

    rate_limit_pages: _PerMinute = 100
    """Pages that one address may load or send in a minute. Here and below an IPv6 address counts as
    its /64."""

    rate_limit_passages: _PerMinute = 1000
    """Addresses that a browser only passes through, such as `/authorize`."""

    rate_limit_sign_ins: _PerMinute = 30
    """Failed sign-ins from one address, of whatever account."""

    rate_limit_sign_ups: _PerMinute = 20
    """Accounts that one address may ask for."""

    rate_limit_mails: _PerMinute = 20
    """Forms from one address that send mail, such as that of a forgotten password."""

    rate_limit_typing: _PerMinute = 120
    """Questions of a page while somebody types."""

    rate_limit_registrations: _PerMinute = 20
    """Clients that register themselves from one address."""

    rate_limit_devices: _PerMinute = 300
    """Devices at one address that ask for a code."""

    rate_limit_failures: _PerMinute = 100
    """Failed authentications of clients and access tokens from one address."""

    rate_limit_clients: _PerMinute = 60_000
    """Requests of one client to `/token`, `/introspect` and the like, and of one person through one
    client to `/userinfo` and the API. A public client, whose name anybody can use, counts for each
    address."""

    head_timeout: Annotated[Duration, between("1s", "5m")] = timedelta(seconds=10)
    """A request line with its headers has to arrive within it."""

    body_timeout: Annotated[Duration, between("1s", "10m")] = timedelta(seconds=30)
    """A body has to arrive within it, and who takes nothing of an answer for so long has gone."""

    keep_alive_timeout: Annotated[Duration, between("1s", "1h")] = timedelta(seconds=75)
    """An idle connection is closed after so long. Longer than the proxy in front keeps its own."""

    max_requests: int = Field(1000, ge=1, le=100_000)
    """Requests that each worker has in hand at once; further ones get 503."""

    max_wait: Annotated[Duration, between("1s", "1m")] = timedelta(seconds=1)
    """A request that a worker, or a thread for PostgreSQL, comes to only after so long gets 503. On
    SQLite, no more wait for the lock when the first has waited so long."""

    max_connections: int = Field(4000, ge=1, le=1_000_000)
    """Connections that each worker holds; further ones get 503 and are closed."""

    shutdown_grace: Annotated[Duration, between("1s", "10m")] = timedelta(seconds=10)
    """What was begun has so long to be finished when a worker ends."""

    breaker_failures: int = Field(5, ge=1, le=1000)
    """So many failures in a row of a neighbour (mail, Redis, another provider), and it is left
    alone."""

    breaker_open: Annotated[Duration, between("1s", "1h")] = timedelta(minutes=1)
    """For so long it is left alone before it is tried again."""

    breaker_successes: int = Field(3, ge=1, le=100)
    """So many trials must succeed before it is trusted again."""
