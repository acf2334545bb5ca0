"""Client metadata (RFC 7591 §2): what a client may ask for, validated in one place."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from oidc_server.domain.base import DomainError

ClientType = Literal["web", "spa", "native", "service"]

STANDARD_SCOPES = ("openid", "profile", "email", "offline_access")
# Without leading zeros, and short: what is compared must be what a browser connects to.
_PORT = re.compile(r":[1-9][0-9]{0,4}")
# It becomes part of a Content-Security-Policy, where ";" and "," have a meaning.
_NETLOC = re.compile(r"[A-Za-z0-9._:\[\]-]*")
_LOOPBACK = ("127.0.0.1", "[::1]")
_DANGEROUS_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})
_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
_ID_TOKEN_ALGORITHMS = ("RS256", "ES256")
_DEFAULT_GRANTS: dict[ClientType, frozenset[str]] = {
    "web": frozenset({"authorization_code", "refresh_token"}),
    "spa": frozenset({"authorization_code", "refresh_token"}),
    "native": frozenset({"authorization_code", "refresh_token"}),
    "service": frozenset({"client_credentials"}),
}
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", "password")


class InvalidClientMetadataError(DomainError):
    """A field does not fit; `error` is the code of RFC 7591 §3.2.2."""

    def __init__(self, message: str, error: str = "invalid_client_metadata") -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """The metadata of one client, by the names of RFC 7591 and OpenID Connect Registration §2."""

    client_name: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    token_endpoint_auth_method: str = "client_secret_basic"
    id_token_signed_response_alg: str = "RS256"
    logo_uri: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    require_pkce: bool = True
    skip_consent: bool = False
    may_introspect: bool = field(default=False)
    """Whether it may introspect every token, not only its own."""

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "ClientMetadata":
        values = dict(document)
        for name in ("redirect_uris", "post_logout_redirect_uris"):
            values[name] = tuple(values.get(name, ()))
        for name in ("grant_types", "scopes"):
            values[name] = frozenset(values.get(name, ()))
        return cls(**values)

    def to_document(self) -> dict[str, Any]:
        document = asdict(self)
        for name in ("grant_types", "scopes"):
            document[name] = sorted(document[name])
        for name in ("redirect_uris", "post_logout_redirect_uris"):
            document[name] = list(document[name])
        return document

    def origins(self) -> set[str]:
        """The web origins of the redirect URIs."""
        parts = [urlsplit(uri) for uri in self.redirect_uris]
        return {f"{part.scheme}://{part.netloc}" for part in parts if part.netloc}


def for_type(
    client_type: ClientType,
    *,
    client_name: str,
    grant_types: Iterable[str] = (),
    scopes: Iterable[str] = (),
    token_endpoint_auth_method: str | None = None,
    **choices: Any,
) -> ClientMetadata:
    """Metadata for a client of this type; what is not chosen gets the type's default.

    `choices` are further fields of `ClientMetadata`. Raises `InvalidClientMetadataError`.
    """
    grants = frozenset(grant_types) or _DEFAULT_GRANTS[client_type]
    default_scopes = () if grants == {"client_credentials"} else STANDARD_SCOPES
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        choices[name] = tuple(choices.get(name, ()))
    metadata = ClientMetadata(
        client_name=client_name.strip(),
        grant_types=grants,
        scopes=frozenset(scopes) or frozenset(default_scopes),
        token_endpoint_auth_method=token_endpoint_auth_method
        or ("none" if _is_public(client_type) else "client_secret_basic"),
        **choices,
    )
    for check in (_check_name, _check_grants, _check_authentication, _check_uris):
        check(client_type, metadata)
    return metadata


def _is_public(client_type: ClientType) -> bool:
    return client_type in ("spa", "native")


def _check_name(_client_type: ClientType, metadata: ClientMetadata) -> None:
    name = metadata.client_name
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidClientMetadataError("client_name must have 1 to 100 printable characters.")


def _check_grants(client_type: ClientType, metadata: ClientMetadata) -> None:
    for grant_type in sorted(metadata.grant_types):
        if grant_type not in GRANT_TYPES:
            raise InvalidClientMetadataError(f"grant_types: {grant_type} is not supported.")
    if _is_public(client_type) and "client_credentials" in metadata.grant_types:
        raise InvalidClientMetadataError("grant_types: client_credentials needs a secret.")
    if _is_public(client_type) and not metadata.require_pkce:
        raise InvalidClientMetadataError("A public client must use PKCE (RFC 7636).")
    for scope in sorted(metadata.scopes):
        if not is_scope(scope):
            raise InvalidClientMetadataError(f"scope: {scope} is no scope (RFC 6749 §3.3).")


def _check_authentication(client_type: ClientType, metadata: ClientMetadata) -> None:
    method = metadata.token_endpoint_auth_method
    if method not in _AUTH_METHODS:
        raise InvalidClientMetadataError(f"token_endpoint_auth_method: {method} is not supported.")
    if _is_public(client_type) != (method == "none"):
        raise InvalidClientMetadataError(
            f"token_endpoint_auth_method: {method} does not fit a client of type {client_type}."
        )
    algorithm = metadata.id_token_signed_response_alg
    if algorithm not in _ID_TOKEN_ALGORITHMS:
        raise InvalidClientMetadataError(
            f"id_token_signed_response_alg: {algorithm} is not supported."
        )


def _check_uris(client_type: ClientType, metadata: ClientMetadata) -> None:
    if "authorization_code" in metadata.grant_types and not metadata.redirect_uris:
        raise InvalidClientMetadataError(
            "redirect_uris is needed for the authorization code grant.", "invalid_redirect_uri"
        )
    for uri in (*metadata.redirect_uris, *metadata.post_logout_redirect_uris):
        problem = redirect_uri_problem(client_type, uri)
        if problem is not None:
            raise InvalidClientMetadataError(f"{uri}: {problem}", "invalid_redirect_uri")


def is_scope(word: str) -> bool:
    """Whether `word` is one scope-token (RFC 6749 §3.3)."""
    return bool(word) and all("!" <= char <= "~" and char not in '"\\' for char in word)


def redirect_uri_problem(client_type: ClientType, uri: str) -> str | None:
    """Why this type of client may not register this redirect URI, or None."""
    malformed = _malformed(uri)
    if malformed is not None:
        return malformed
    host = urlsplit(uri).hostname
    scheme = uri.partition(":")[0]
    if scheme == "https":
        return None if host else "it names no host."
    if scheme == "http":
        return _plain_http_problem(client_type, host)
    if scheme in _DANGEROUS_SCHEMES:
        return f"the scheme {scheme} is not allowed."
    if client_type != "native":
        return "only native clients may use a scheme of their own."
    if "." not in scheme:
        return "a private-use scheme contains a dot, like com.example.app (RFC 8252 §7.1)."
    return None


def _malformed(uri: str) -> str | None:
    """What no redirect URI may be, whatever its scheme."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "it cannot be read as a URI."
    scheme = uri.partition(":")[0]
    problems = (
        (not all("!" <= char <= "~" for char in uri) or "\\" in uri, "it holds wrong characters."),
        ("#" in uri, "it must not have a fragment (RFC 6749 §3.1.2)."),
        ("@" in parts.netloc, "it must not hold a user name."),
        ("*" in uri, "wildcards are not supported; register each address."),
        (not _NETLOC.fullmatch(parts.netloc), "its host is not one."),
        (scheme != scheme.lower(), "write the scheme in lower case."),
    )
    return next((problem for found, problem in problems if found), None)


def _plain_http_problem(client_type: ClientType, host: str | None) -> str | None:
    if host is None:
        return "it names no host."
    if host == "localhost":
        if client_type == "native":
            return "use 127.0.0.1 or [::1] instead of localhost (RFC 8252 §8.3)."
        return None
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    return None if loopback else "plain http is for loopback addresses only; use https."


def matches_redirect_uri(client_type: ClientType, registered: Iterable[str], sent: str) -> bool:
    """Whether `sent` is registered: equal, character for character (RFC 9700 §4.1.3).

    One exception: a native client may use any port on a loopback IP address (RFC 8252 §7.3).
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
