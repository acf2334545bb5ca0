"""What must be true of the metadata of a client of each type: one check per subject."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from oidc_server.domain.client_metadata.model import (
    ClientMetadata,
    ClientType,
    InvalidClientMetadataError,
    origin_of,
)
from oidc_server.domain.client_metadata.names import is_legible
from oidc_server.domain.client_metadata.redirect_uris import redirect_uri_problem, web_uri_problem
from oidc_server.domain.client_metadata.values import (
    ASYMMETRIC_ALGORITHMS,
    AUTH_METHODS,
    CONFIDENTIAL_GRANT_TYPES,
    DEFAULT_ENCRYPTION_METHOD,
    ENCRYPTION_ALGORITHMS,
    ENCRYPTION_METHODS,
    FAPI_ALGORITHMS,
    GRANT_TYPES,
    STANDARD_SCOPES,
)
from oidc_server.security.jose import ALGORITHMS, ClientKeys

_SYMMETRIC_ALGORITHM = "HS256"

_WITH_PEOPLE = frozenset({"authorization_code", "refresh_token"})
_DEFAULT_GRANTS: dict[ClientType, frozenset[str]] = {
    "web": _WITH_PEOPLE,
    "spa": _WITH_PEOPLE,
    "native": _WITH_PEOPLE,
    "service": frozenset({"client_credentials"}),
}
_FAPI_DEFAULTS: dict[str, Any] = {
    "id_token_signed_response_alg": "ES256",
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
}
_PAGES = ("client_uri", "logo_uri", "tos_uri", "policy_uri", "initiate_login_uri")
_FETCHED = ("jwks_uri", "sector_identifier_uri", "backchannel_logout_uri")
_MOST_ENTRIES = 50
_LONGEST_WORD = 300
_LONGEST_MAX_AGE = 10**9


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
    if choices.get("profile") == "fapi2":
        choices = {**_FAPI_DEFAULTS, **choices}
        token_endpoint_auth_method = token_endpoint_auth_method or "private_key_jwt"
    grants = frozenset(grant_types) or _DEFAULT_GRANTS[client_type]
    default_scopes = () if grants == {"client_credentials"} else STANDARD_SCOPES
    for kind in ("id_token", "userinfo"):
        if choices.get(f"{kind}_encrypted_response_alg") is not None:
            enc = f"{kind}_encrypted_response_enc"
            choices[enc] = choices.get(enc) or DEFAULT_ENCRYPTION_METHOD
    further: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list | set) else value
        for name, value in choices.items()
    }
    metadata = ClientMetadata(
        client_name=client_name.strip(),
        grant_types=grants,
        scopes=frozenset(scopes) or frozenset(default_scopes),
        token_endpoint_auth_method=token_endpoint_auth_method
        or ("none" if client_type in ("spa", "native") else "client_secret_basic"),
        **further,
    )
    for check in _CHECKS:
        check(client_type, metadata)
    return metadata


def is_scope(word: str) -> bool:
    """Whether `word` is one scope-token (RFC 6749 §3.3)."""
    return bool(word) and all("!" <= char <= "~" and char not in '"\\' for char in word)


def _refuse(field: str, problem: str, error: str = "invalid_client_metadata") -> None:
    raise InvalidClientMetadataError(f"{field}: {problem}", error)


def _check_name(_client_type: ClientType, metadata: ClientMetadata) -> None:
    name = metadata.client_name
    if not 1 <= len(name) <= 100 or not is_legible(name):
        raise InvalidClientMetadataError("client_name must have 1 to 100 printable characters.")


def _check_grants(_client_type: ClientType, metadata: ClientMetadata) -> None:
    for grant_type in sorted(metadata.grant_types):
        if grant_type not in GRANT_TYPES:
            these = ", ".join(GRANT_TYPES)
            _refuse("grant_types", f"{grant_type} is not supported; these are: {these}.")
    is_public = metadata.token_endpoint_auth_method == "none"
    for grant_type in sorted(CONFIDENTIAL_GRANT_TYPES & metadata.grant_types):
        if is_public:
            _refuse("grant_types", f"{grant_type} needs a secret or a key.")
    if is_public and not metadata.require_pkce:
        raise InvalidClientMetadataError("A public client must use PKCE (RFC 7636).")
    for scope in sorted(metadata.scopes):
        if not is_scope(scope):
            _refuse("scope", f"{scope} is no scope (RFC 6749 §3.3).")


def _check_authentication(client_type: ClientType, metadata: ClientMetadata) -> None:
    method = metadata.token_endpoint_auth_method
    if method not in AUTH_METHODS:
        _refuse("token_endpoint_auth_method", f"{method} is not supported.")
    # A native client has a secret of its own only where each installation registers itself.
    if client_type != "native" and (client_type == "spa") != (method == "none"):
        _refuse(
            "token_endpoint_auth_method",
            f"{method} does not fit a client of type {client_type}.",
        )
    algorithm = metadata.token_endpoint_auth_signing_alg
    allowed = {
        "private_key_jwt": ASYMMETRIC_ALGORITHMS,
        "client_secret_jwt": (_SYMMETRIC_ALGORITHM,),
    }.get(method, ASYMMETRIC_ALGORITHMS)
    if algorithm is not None and algorithm not in allowed:
        _refuse("token_endpoint_auth_signing_alg", f"{algorithm} is not supported for {method}.")


def _check_keys(_client_type: ClientType, metadata: ClientMetadata) -> None:
    if metadata.jwks is not None and metadata.jwks_uri is not None:
        _refuse("jwks", "give jwks or jwks_uri, not both (RFC 7591 §2).")
    needs_keys = metadata.token_endpoint_auth_method == "private_key_jwt" or (
        metadata.id_token_encrypted_response_alg or metadata.userinfo_encrypted_response_alg
    )
    if needs_keys and metadata.jwks is None and metadata.jwks_uri is None:
        _refuse("jwks", "this client needs jwks or jwks_uri.")
    if metadata.jwks is not None:
        try:
            usable = len(ClientKeys(metadata.jwks))
        except ValueError as error:
            raise InvalidClientMetadataError(f"jwks: {error}.") from None
        if needs_keys and not usable:
            _refuse("jwks", "it holds no key of a kind that we know.")


def _check_algorithms(_client_type: ClientType, metadata: ClientMetadata) -> None:
    for field in (
        "authorization_signed_response_alg",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "introspection_signed_response_alg",
    ):
        _check_algorithm(field, getattr(metadata, field), ALGORITHMS)
    field = "request_object_signing_alg"
    _check_algorithm(field, metadata.request_object_signing_alg, ASYMMETRIC_ALGORITHMS)
    for kind in ("id_token", "userinfo"):
        alg = getattr(metadata, f"{kind}_encrypted_response_alg")
        enc = getattr(metadata, f"{kind}_encrypted_response_enc")
        if alg is not None and alg not in ENCRYPTION_ALGORITHMS:
            _refuse(f"{kind}_encrypted_response_alg", f"{alg} is not supported.")
        if enc is not None and (alg is None or enc not in ENCRYPTION_METHODS):
            _refuse(f"{kind}_encrypted_response_enc", f"{enc} is not supported, or goes without.")


def _check_algorithm(field: str, algorithm: str | None, allowed: Iterable[str]) -> None:
    if algorithm is not None and algorithm not in allowed:
        _refuse(field, f"{algorithm} is not supported.")


def _check_redirect_uris(client_type: ClientType, metadata: ClientMetadata) -> None:
    if "authorization_code" in metadata.grant_types and not metadata.redirect_uris:
        raise InvalidClientMetadataError(
            "redirect_uris is needed for the authorization code grant.", "invalid_redirect_uri"
        )
    for field, error in (
        ("redirect_uris", "invalid_redirect_uri"),
        ("post_logout_redirect_uris", "invalid_client_metadata"),
    ):
        uris = getattr(metadata, field)
        if len(uris) > _MOST_ENTRIES or len(set(uris)) < len(uris):
            _refuse(field, f"more than {_MOST_ENTRIES} entries, or one of them twice.", error)
        for uri in uris:
            problem = redirect_uri_problem(client_type, uri)
            if problem is not None:
                raise InvalidClientMetadataError(f"{uri}: {problem}", error)


def _check_addresses(_client_type: ClientType, metadata: ClientMetadata) -> None:
    """What people are shown or we fetch: https, never a scheme that a browser would run."""
    for field in (*_PAGES, *_FETCHED, "frontchannel_logout_uri"):
        uri = getattr(metadata, field)
        problem = None if uri is None else web_uri_problem(uri)
        if problem is not None:
            _refuse(field, problem)
    login = metadata.initiate_login_uri
    if login is not None and not login.startswith("https:"):
        _refuse("initiate_login_uri", "use an https address (OpenID Connect Registration §2).")
    for uri in metadata.request_uris:
        problem = web_uri_problem(uri, fragment=True)
        if problem is not None:
            _refuse("request_uris", problem)
    front = metadata.frontchannel_logout_uri
    if front is not None and origin_of(front) not in metadata.origins():
        _refuse(
            "frontchannel_logout_uri",
            "scheme, host and port must be those of a redirect URI (Front-Channel Logout §2).",
        )


def _check_subject(_client_type: ClientType, metadata: ClientMetadata) -> None:
    if metadata.subject_type not in ("public", "pairwise"):
        _refuse("subject_type", f"{metadata.subject_type} is not supported.")
    hosts = {urlsplit(uri).hostname for uri in metadata.redirect_uris}
    names_sector = metadata.sector_identifier_uri is not None or (
        len(hosts) == 1 and None not in hosts
    )
    if metadata.subject_type == "pairwise" and not names_sector:
        _refuse("sector_identifier_uri", "needed, unless all redirect URIs have one host.")


def _check_sizes(_client_type: ClientType, metadata: ClientMetadata) -> None:
    for field in (
        "request_uris",
        "contacts",
        "default_acr_values",
        "scopes",
    ):
        entries = getattr(metadata, field)
        if len(entries) > _MOST_ENTRIES:
            _refuse(field, f"more than {_MOST_ENTRIES} entries.")
    words = (*metadata.contacts, *metadata.default_acr_values, *metadata.scopes)
    for word in (*words, metadata.software_id or "-", metadata.software_version or "-"):
        if not 1 <= len(word) <= _LONGEST_WORD or not word.isprintable():
            raise InvalidClientMetadataError(
                f"Contacts, software, acr values and scopes have 1 to {_LONGEST_WORD} printable"
                " characters."
            )
    age = metadata.default_max_age
    if age is not None and not 0 <= age <= _LONGEST_MAX_AGE:
        _refuse("default_max_age", "it is not a number of seconds.")


def _check_profile(_client_type: ClientType, metadata: ClientMetadata) -> None:
    """FAPI 2.0 Security Profile §5.3.2.1: what the profile demands is not negotiable."""
    if metadata.profile is None:
        return
    demanded = {
        "profile": metadata.profile == "fapi2",
        "grant_types": "password" not in metadata.grant_types,
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method == "private_key_jwt",
        "require_pushed_authorization_requests": metadata.require_pushed_authorization_requests,
        "dpop_bound_access_tokens": metadata.dpop_bound_access_tokens,
        "require_pkce": metadata.require_pkce,
        "authorization_signed_response_alg": metadata.authorization_signed_response_alg
        in (None, *FAPI_ALGORITHMS),
        "id_token_signed_response_alg": metadata.id_token_signed_response_alg in FAPI_ALGORITHMS,
        "token_endpoint_auth_signing_alg": metadata.token_endpoint_auth_signing_alg
        in (None, *FAPI_ALGORITHMS),
    }
    for field, holds in demanded.items():
        if not holds:
            _refuse(field, "this is not what the profile fapi2 demands.")


_CHECKS: tuple[Callable[[ClientType, ClientMetadata], None], ...] = (
    _check_name,
    _check_grants,
    _check_authentication,
    _check_keys,
    _check_algorithms,
    _check_redirect_uris,
    _check_addresses,
    _check_subject,
    _check_sizes,
    _check_profile,
)
