"""The fields of a client, by the names of their specifications."""

from dataclasses import dataclass, fields
from typing import Any, Literal
from urllib.parse import urlsplit

from oidc_server.domain.base import DomainError

ClientType = Literal["web", "spa", "native", "service"]
SubjectType = Literal["public", "pairwise"]
Profile = Literal["fapi2"]

_USUAL_PORTS = {"https": ":443", "http": ":80"}


class InvalidClientMetadataError(DomainError):
    """A field does not fit; `error` is the code of RFC 7591 §3.2.2."""

    def __init__(self, message: str, error: str = "invalid_client_metadata") -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadata:
    """The metadata of one client. What is None was not chosen, and has no default of its own."""

    # RFC 7591 §2
    client_name: str
    redirect_uris: tuple[str, ...] = ()
    grant_types: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    token_endpoint_auth_method: str = "client_secret_basic"
    client_uri: str | None = None
    logo_uri: str | None = None
    tos_uri: str | None = None
    policy_uri: str | None = None
    contacts: tuple[str, ...] = ()
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    software_id: str | None = None
    software_version: str | None = None

    # OpenID Connect Registration §2
    token_endpoint_auth_signing_alg: str | None = None
    id_token_signed_response_alg: str = "RS256"
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    request_object_signing_alg: str | None = None
    request_uris: tuple[str, ...] = ()
    subject_type: SubjectType = "public"
    sector_identifier_uri: str | None = None
    default_max_age: int | None = None
    """Seconds."""
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    initiate_login_uri: str | None = None

    # RP-Initiated Logout §2.1, Back-Channel Logout §2.2, Front-Channel Logout §2
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False

    # RFC 9101 §10.5, JARM §3, RFC 9126 §6, RFC 9449 §5.2, RFC 9701 §6
    require_signed_request_object: bool = False
    authorization_signed_response_alg: str | None = None
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    introspection_signed_response_alg: str | None = None

    # Ours
    profile: Profile | None = None
    """A set of rules that this client holds itself to."""
    require_pkce: bool = True
    skip_consent: bool = False
    may_introspect: bool = False
    """Whether it may introspect every token, not only its own."""
    may_exchange: bool = False
    """Whether it may exchange the token of any client, not only its own (RFC 8693)."""

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "ClientMetadata":
        """What `to_document` wrote. Fields of a newer version are passed over."""
        values = {name: value for name, value in document.items() if name in _FIELDS}
        for name in _LISTS & values.keys():
            values[name] = tuple(values[name])
        for name in _SETS & values.keys():
            values[name] = frozenset(values[name])
        return cls(**values)

    def to_document(self) -> dict[str, Any]:
        """As JSON can hold it; what was not chosen is left out."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        document = {name: value for name, value in values if value is not None}
        for name in _SETS:
            document[name] = sorted(document[name])
        for name in _LISTS:
            document[name] = list(document[name])
        return document

    @property
    def has_client_secret(self) -> bool:
        """Whether it authenticates with a secret, sent or signed with."""
        return self.token_endpoint_auth_method.startswith("client_secret")

    @property
    def authorization_alg(self) -> str:
        """What signs its authorization responses (JARM §3); a profile does without the default."""
        default = "RS256" if self.profile is None else self.id_token_signed_response_alg
        return self.authorization_signed_response_alg or default

    def origins(self) -> set[str]:
        """The web origins of the redirect URIs."""
        return {origin for uri in self.redirect_uris if (origin := origin_of(uri)) is not None}


def origin_of(uri: str) -> str | None:
    """The web origin of an address, as browsers send it (RFC 6454 §6.2); None where is no host."""
    parts = urlsplit(uri)
    place = parts.netloc.lower().removesuffix(_USUAL_PORTS.get(parts.scheme, ""))
    return f"{parts.scheme}://{place}" if place else None


_FIELDS = frozenset(field.name for field in fields(ClientMetadata))
_LISTS = frozenset(field.name for field in fields(ClientMetadata) if field.default == ())
_SETS = frozenset(field.name for field in fields(ClientMetadata) if field.default == frozenset())
