"""Addresses that the operator chooses for logs, metrics and traces, taken apart and checked."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Endpoint:
    """A host and a port."""

    host: str
    port: int


def parse_endpoint(value: str) -> Endpoint:
    """`127.0.0.1:9464`, `[::1]:9464` or `:9464` for every address of this machine."""
    fix = "write an address and a port, such as 127.0.0.1:9464"
    try:
        parts = urlsplit(f"//{value}")
        port = parts.port
    except ValueError:
        raise ValueError(fix) from None
    if not port or parts.path or parts.query or "@" in value or not value.isprintable():
        raise ValueError(fix)
    return Endpoint(parts.hostname or "0.0.0.0", port)  # noqa: S104 - the operator's choice


def parse_collector(value: str) -> Endpoint:
    """`tcp://host:port` of what collects logs."""
    scheme, separator, rest = value.partition("://")
    if scheme != "tcp" or not separator or rest.startswith(":"):
        raise ValueError("write tcp://host:port")
    return parse_endpoint(rest)


def check_endpoint(value: str | None) -> str | None:
    """An address to listen on."""
    if value is not None:
        parse_endpoint(value)
    return value


def check_collector(value: str | None) -> str | None:
    """Where lines of the log are sent."""
    if value is not None:
        parse_collector(value)
    return value


def check_otlp(value: str | None) -> str | None:
    """The address of a collector of traces, without `/v1/traces`."""
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write an address such as http://localhost:4318")
    if "@" in parts.netloc or parts.query or parts.fragment or "/v1/traces" in parts.path:
        raise ValueError("leave out user name, query, and /v1/traces")
    return value.rstrip("/")
