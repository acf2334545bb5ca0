"""What protects the server from floods and from external services that fail."""

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
    """`off` turns all rate limits off; for measurements only."""

    redis_url: Annotated[SecretStr | None, AfterValidator(_check_redis_url)] = Field(
        None, json_schema_extra={"default": "each process counts for itself"}
    )
    """`redis://user:password@host:6379/0`, `rediss://…` or `unix:///path`: shared counters of rate
    limits for all processes and nodes. While it is unreachable, each process counts for itself."""

    rate_limit_pages: _PerMinute = 100
    """Pages and forms per minute and address. Here and below an IPv6 address counts as its /64."""

    rate_limit_passages: _PerMinute = 1000
    """Requests per minute and address to endpoints that only redirect a browser, such as
    `/authorize`; and to `/par` by public clients and clients that registered themselves."""

    rate_limit_sign_ins: _PerMinute = 30
    """Failed sign-ins per minute and address, to whatever accounts."""

    rate_limit_sign_ups: _PerMinute = 20
    """Sign-ups per minute and address."""

    rate_limit_mails: _PerMinute = 20
    """Forms that send mail, such as that of a forgotten password, per minute and address."""

    rate_limit_typing: _PerMinute = 120
    """Requests of the password meter, sent while somebody types, per minute and address."""

    rate_limit_registrations: _PerMinute = 20
    """Clients that register themselves or change their registration, per minute and address."""

    rate_limit_devices: _PerMinute = 300
    """Device authorization requests per minute and address."""

    rate_limit_failures: _PerMinute = 100
    """Failed authentications of clients and access tokens per minute and address."""

    rate_limit_clients: _PerMinute = 60_000
    """Requests per minute of one client to `/token`, `/introspect` and the like, and of one person
    through one client to `/userinfo` and the API. For a public client, whose `client_id` anybody
    can use, each address is counted by itself."""

    head_timeout: Annotated[Duration, between("1s", "5m")] = timedelta(seconds=10)
    """Time for a request line and its headers to arrive."""

    body_timeout: Annotated[Duration, between("1s", "10m")] = timedelta(seconds=30)
    """Time for a body to arrive. A client that reads nothing of a response for this long is
    disconnected."""

    keep_alive_timeout: Annotated[Duration, between("1s", "1h")] = timedelta(seconds=75)
    """An idle connection is closed after this time. Choose it longer than the proxy in front keeps
    connections open."""

    max_requests: int = Field(1000, ge=1, le=100_000)
    """Requests that each worker handles at once; further ones get 503."""

    max_wait: Annotated[Duration, between("1s", "1m")] = timedelta(seconds=1)
    """A request gets 503 if it has waited this long for the event loop of a worker, or for a thread
    for PostgreSQL. On SQLite, further requests get 503 once the first has waited this long for the
    write lock."""

    max_connections: int = Field(4000, ge=1, le=1_000_000)
    """Open connections of each worker; further ones get 503 and are closed."""

    shutdown_grace: Annotated[Duration, between("1s", "10m")] = timedelta(seconds=10)
    """Time for running requests to finish when a worker ends."""

    breaker_failures: int = Field(5, ge=1, le=1000)
    """Failures of an external service (mail, Redis, another provider) in a row after which its
    circuit breaker opens."""

    breaker_open: Annotated[Duration, between("1s", "1h")] = timedelta(minutes=1)
    """How long it stays open, without calls to the service, before one call tries again."""

    breaker_successes: int = Field(3, ge=1, le=100)
    """Trials that must succeed before it closes."""
