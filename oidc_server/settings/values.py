"""What a single value may be.

Each function returns the value in its one spelling, or raises ValueError with words an operator can
act on; they never repeat a secret.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

IPNetwork = IPv4Network | IPv6Network

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,9})([smhd]?)")
_ISSUER = re.compile(
    r"(https?)://((?:[^/?#@]*@)?(?:\[[^]/?#]*\]|[^:/?#]+))(:[^/?#]*)?(/[^?#]*)?([?#].*)?", re.DOTALL
)
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_PORT = re.compile(r":[1-9][0-9]{0,4}")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_MOST_SCOPES = 30
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_ADDRESS = re.compile(
    r"[^\s@<>,;:\"()\\]+@[^\s@<>,;:\"()\\]+|[^\s@<>,;:\"()\\]+@\[[0-9a-fA-F:.]+\]"
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_SMTP_FORM = "write smtp://user:password@host:587 or smtps://…, special characters as in %40"
_STARTTLS: dict[str, Literal["required", "optional", "off"]] = {
    "starttls=required": "required",
    "starttls=optional": "optional",
    "starttls=off": "off",
}


def parse_duration(value: str) -> timedelta:
    """`90`, `90s`, `10m`, `12h` or `30d` → timedelta."""
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise ValueError("write seconds, or a number with s, m, h or d, such as 10m")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2] or "s"])


def format_duration(value: timedelta) -> str:
    """The shortest spelling that `parse_duration` reads back."""
    seconds = int(value.total_seconds())
    for unit, size in reversed(_UNITS.items()):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _parse_if_text(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_parse_if_text)]


def between(low: str, high: str) -> AfterValidator:
    """Bounds of a Duration, both allowed."""
    lowest, highest = parse_duration(low), parse_duration(high)

    def check(value: timedelta) -> timedelta:
        if not lowest <= value <= highest:
            raise ValueError(f"choose something from {low} to {high}")
        return value

    return AfterValidator(check)


def is_loopback_host(host: str) -> bool:
    """Whether `host` can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_issuer(value: str) -> str:
    """The issuer is compared letter by letter, so it has exactly one spelling (Core §2 `iss`)."""
    match = _ISSUER.fullmatch(value)
    if match is None:
        raise ValueError("write the whole address, such as https://id.example.com")
    scheme, host, port, path, rest = match.groups(default="")
    if rest or "@" in host:
        raise ValueError("leave out user name, query and fragment")
    _check_authority(scheme, host, port)
    if path.endswith("/"):
        raise ValueError("leave out the slash at the end")
    if not _PATH.fullmatch(path):
        raise ValueError("the path may hold letters, digits, '.', '_', '~' and '-' only")
    if scheme == "http" and not is_loopback_host(host):
        raise ValueError("use https://; http:// is for localhost only")
    return value


def _check_authority(scheme: str, host: str, port: str) -> None:
    if not is_host(host):
        raise ValueError("write the host in lower case, international names in their xn-- form")
    if port and not (_PORT.fullmatch(port) and int(port[1:]) < 65536):
        raise ValueError("the port is no port")
    if port == _DEFAULT_PORTS[scheme]:
        raise ValueError(f"leave out {port}, it is the usual port")


def check_origin(value: str) -> str:
    """A web origin as browsers send it (RFC 6454 §6.2): compared letter by letter, no pattern."""
    if "*" in value or value == "null":
        raise ValueError(f"{value} could be anybody: list each origin by itself")
    match = _ISSUER.fullmatch(value)
    if match is None:
        raise ValueError(f"{value} is no origin: write one such as https://app.example.com")
    scheme, host, port, path, rest = match.groups(default="")
    if path or rest or "@" in host:
        raise ValueError(f"{value} is more than an origin: keep scheme, host and port")
    try:
        _check_authority(scheme, host, port)
    except ValueError as error:
        raise ValueError(f"{value}: {error}") from None
    return value


def is_host(host: str) -> bool:
    """Whether `host` is a name or an address in the spelling that browsers use."""
    is_address = host.startswith("[") or host.rpartition(".")[2].isdigit()
    if not is_address:
        return bool(_NAME.fullmatch(host)) and ".." not in host
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return host == (f"[{address}]" if address.version == 6 else str(address))


def issuer_host(issuer: str) -> str:
    """The host of a checked issuer, without port and brackets."""
    return urlsplit(issuer).hostname or ""


def parse_database_url(value: str) -> str:
    """PostgreSQL through psycopg2, or a SQLite file."""
    scheme, separator, rest = value.partition("://")
    if not separator:
        raise ValueError("write sqlite:///path/to/file or postgresql://user:password@host/name")
    if scheme in ("postgresql", "postgres", "postgresql+psycopg2"):
        return f"postgresql+psycopg2://{rest}"
    if scheme in ("sqlite", "sqlite+pysqlite"):
        path = rest.removeprefix("/").partition("?")[0]
        if not rest.startswith("/") or path in ("", ":memory:"):
            raise ValueError("name a file, such as sqlite:///data/oidc.db")
        return f"sqlite:///{rest[1:]}"
    if scheme.startswith("postgres"):
        raise ValueError("write postgresql:// without another driver: this server uses psycopg2")
    raise ValueError("use postgresql:// or sqlite:///; other databases are not supported")


def parse_list(value: str) -> tuple[str, ...]:
    """Text with commas or line breaks between the items → tuple of the items."""
    return tuple(item.strip() for item in re.split(r"[,\n]", value) if item.strip())


def _list_if_text(value: object) -> object:
    return parse_list(value) if isinstance(value, str) else value


TextList = BeforeValidator(_list_if_text)


def check_scopes(value: tuple[str, ...]) -> tuple[str, ...]:
    """Each is one scope-token (RFC 6749 §3.3); a client has room for so many beside its own."""
    if len(value) > _MOST_SCOPES:
        raise ValueError(f"at most {_MOST_SCOPES} scopes can be opened to every client")
    if not all(_SCOPE.fullmatch(scope) for scope in value):
        raise ValueError("write scopes with commas between, such as notes:read, notes:write")
    return value


def parse_networks(value: str | Iterable[str | IPNetwork]) -> tuple[IPNetwork, ...]:
    """Addresses or networks in CIDR notation; never everybody."""
    items = parse_list(value) if isinstance(value, str) else value
    return tuple(_parse_network(item) for item in items)


def _parse_network(item: str | IPNetwork) -> IPNetwork:
    try:
        network = ip_network(item)
    except ValueError:
        fix = "list addresses or networks such as 10.0.0.0/8, with commas between"
        raise ValueError(fix if item != "*" else f"'*' would trust everybody: {fix}") from None
    if network.prefixlen == 0:
        raise ValueError(f"{item} would trust everybody: list the networks of your proxies")
    return network


def check_secrets(secrets: Iterable[SecretStr]) -> tuple[SecretStr, ...]:
    """Each secret must be too long to guess."""
    kept = tuple(secrets)
    if any(len(secret.get_secret_value()) < 32 for secret in kept):
        raise ValueError("each secret needs 32 characters; make one with: openssl rand -base64 48")
    return kept


def check_address(value: str) -> str:
    """A bare e-mail address."""
    if not value.isascii() or not _ADDRESS.fullmatch(value):
        raise ValueError("write a bare address, such as no-reply@example.com")
    return value


def check_name(value: str) -> str:
    """A name for pages and mails."""
    if not value.isprintable() or value != value.strip():
        raise ValueError("write visible characters on one line")
    return value


def check_range_url(value: str | None) -> str | None:
    """The address of a service that the operator answers for: https, or http on this machine."""
    if value is None:
        return None
    parts = urlsplit(value)
    local = parts.scheme == "http" and is_loopback_host(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise ValueError("write an address that begins with https://")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("write an address without user name, query and fragment")
    return value


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed over, and how that connection is encrypted."""

    host: str
    port: int
    tls: Literal["implicit", "required", "optional", "off"]
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_smtp_url(value: str) -> SmtpServer:
    """`smtp://user:password@host:587?starttls=required`, or `smtps://…` for TLS from the start.

    Without `starttls`, it is required; on this very machine it is off, as nobody is in between
    and no certificate can be for `localhost`.
    """
    try:
        url = urlsplit(value)
        host, port, username, password = url.hostname, url.port, url.username, url.password
    except ValueError:
        raise ValueError(_SMTP_FORM) from None
    is_smtp = url.scheme in ("smtp", "smtps") and value.isprintable()
    if not is_smtp or not host or url.path.strip("/") or url.fragment:
        raise ValueError(_SMTP_FORM)
    if url.scheme == "smtps" and url.query:
        raise ValueError("smtps:// is encrypted from the start: leave out what follows '?'")
    local = is_loopback_host(host)
    query = url.query or f"starttls={'off' if local else 'required'}"
    if query not in _STARTTLS:
        raise ValueError("after '?' write starttls=required, starttls=optional or starttls=off")
    tls = "implicit" if url.scheme == "smtps" else _STARTTLS[query]
    if username and tls in ("optional", "off") and not local:
        raise ValueError("the password would travel unencrypted: use starttls=required or smtps://")
    return SmtpServer(
        host=host,
        port=port or (465 if tls == "implicit" else 25 if local else 587),
        tls=tls,
        username=unquote(username) if username else None,
        password=unquote(password) if password else None,
    )
