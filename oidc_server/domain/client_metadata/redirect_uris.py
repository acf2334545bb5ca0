"""Redirect URIs: which may be registered, and which sent one is a registered one."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from oidc_server.domain.client_metadata.model import ClientType

# Without leading zeros, and short: what is compared must be what a browser connects to.
_PORT = re.compile(r":[1-9][0-9]{0,4}")
# It becomes part of a Content-Security-Policy, where ";" and "," have a meaning.
_NETLOC = re.compile(r"[A-Za-z0-9._:\[\]-]*")
# What has no scheme is led on to from where the browser is: it could be any address.
# `localhost:8000/cb` reads as a scheme, and means a host.
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9]+(/|$)).*")
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
_LONGEST = 2000
_WEB = ("https", "http")
_DANGEROUS_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})


def redirect_uri_problem(client_type: ClientType, uri: str) -> str | None:
    """Why this type of client may not register this redirect URI, or None."""
    malformed = _malformed(uri)
    if malformed is not None:
        return malformed
    scheme = uri.partition(":")[0]
    if scheme in _WEB:
        return _web_problem(uri)
    if scheme in _DANGEROUS_SCHEMES:
        return f"the scheme {scheme} is not allowed."
    if client_type != "native":
        return "only native clients (application_type) may use a scheme of their own."
    if "." not in scheme:
        return "a private-use scheme contains a dot, like com.example.app (RFC 8252 §7.1)."
    return None


def web_uri_problem(uri: str, *, fragment: bool = False) -> str | None:
    """Why `uri` is no https address (or http on loopback) of a client, or None."""
    bare, _, _ = uri.partition("#") if fragment else (uri, "", "")
    malformed = _malformed(bare)
    if malformed is not None:
        return malformed
    if bare.partition(":")[0] not in _WEB:
        return "use an https address."
    return _web_problem(bare)


def _web_problem(uri: str) -> str | None:
    host = urlsplit(uri).hostname
    if uri.startswith("http:"):
        return _plain_http_problem(host)
    return None if host else "it names no host."


def _malformed(uri: str) -> str | None:
    """What no address of a client may be, whatever its scheme."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "it cannot be read as a URI."
    scheme = uri.partition(":")[0]
    problems = (
        (len(uri) > _LONGEST, f"it is longer than {_LONGEST} characters."),
        (not all("!" <= char <= "~" for char in uri) or "\\" in uri, "it holds wrong characters."),
        ("#" in uri, "it must not have a fragment (RFC 6749 §3.1.2)."),
        ("@" in parts.netloc, "it must not hold a user name."),
        ("*" in uri, "wildcards are not supported; register each address."),
        (not _NETLOC.fullmatch(parts.netloc), "its host is not one."),
        (not _ABSOLUTE.fullmatch(uri), "it has no scheme, such as https:// (RFC 6749 §3.1.2)."),
        (scheme != scheme.lower(), "write the scheme in lower case."),
    )
    return next((problem for found, problem in problems if found), None)


def _plain_http_problem(host: str | None) -> str | None:
    if host is None:
        return "it names no host."
    if host == "localhost":
        return None
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    return None if loopback else "plain http is for loopback addresses only; use https."


def matches_redirect_uri(client_type: ClientType, registered: Iterable[str], sent: str) -> bool:
    """Whether `sent` is registered: equal, character for character (RFC 9700 §4.1.3).

    One exception: a native client may use any port on loopback (RFC 8252 §7.3), by its name as by
    its address (ADR 0029).
    """
    if sent in registered:
        return True
    if client_type != "native":
        return False
    bare = _without_loopback_port(sent)
    return bare is not None and any(_without_loopback_port(uri) == bare for uri in registered)


def _without_loopback_port(uri: str) -> str | None:
    """`http://127.0.0.1:51004/cb` → `http://127.0.0.1/cb`; None for any other address."""
    for host in _LOOPBACK:
        prefix = f"http://{host}"
        if not uri.startswith(prefix):
            continue
        port, slash, rest = uri[len(prefix) :].partition("/")
        if port == "" or (_PORT.fullmatch(port) and int(port[1:]) <= 65535):
            return prefix + slash + rest
    return None
