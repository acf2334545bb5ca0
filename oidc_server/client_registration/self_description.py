"""What a client may say of itself: less than an operator may say of it, and nothing is believed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from oidc_server.domain import registration_tokens
from oidc_server.domain.client_metadata import (
    STANDARD_SCOPES,
    ClientMetadata,
    ClientType,
    GrantType,
    InvalidClientMetadataError,
    fields_of,
    for_type,
    type_of,
)
from oidc_server.domain.identifiers import folded
from oidc_server.web.context import Context

_OPEN_GRANT_TYPES = frozenset(
    {
        GrantType.AUTHORIZATION_CODE.value,
        GrantType.REFRESH_TOKEN.value,
        GrantType.DEVICE_CODE.value,
    }
)
"""In these a person decides what the client gets."""
_VOUCHED_GRANT_TYPES = _OPEN_GRANT_TYPES | {GrantType.CLIENT_CREDENTIALS.value}
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Terms:
    """What this client may have. `profile` is what an operator holds it to.

    `scopes_to_ask_for` are for clients that get nothing without a person.
    """

    grant_types: frozenset[str]
    scopes: frozenset[str]
    scopes_to_ask_for: frozenset[str]
    pkce_for_all: bool
    reserved_name: str | None
    profile: str | None = None


def terms_for(ctx: Context, registered_with: str | None, profile: str | None = None) -> Terms:
    """The terms of a client that came with an initial access token, or without one."""
    vouched = registered_with is not None
    settings = ctx.runtime.settings
    of_token = registration_tokens.scopes_of(ctx.db, registered_with)
    return Terms(
        grant_types=_VOUCHED_GRANT_TYPES if vouched else _OPEN_GRANT_TYPES,
        scopes=of_token.union(STANDARD_SCOPES),
        scopes_to_ask_for=frozenset(settings.registration_scopes),
        pkce_for_all=settings.pkce == "required",
        reserved_name=None if vouched else settings.brand_name,
        profile=profile,
    )


def read(members: Mapping[str, Any], terms: Terms) -> tuple[ClientType, ClientMetadata]:
    """The metadata that these members describe; raises `InvalidClientMetadataError`.

    Scopes that are not open to the client are left out (RFC 7591 §2: the server may), grant types
    are not: a client cannot work without one that it relies on.
    """
    if members.get("software_statement") is not None:
        raise InvalidClientMetadataError(
            "software_statement: no issuer of such statements is trusted here.",
            "invalid_software_statement",
        )
    fields = fields_of(members)
    client_type = type_of(members)
    method = fields.pop("token_endpoint_auth_method", None) or "client_secret_basic"
    grant_types = _grant_types(fields.pop("grant_types", None), terms)
    metadata = for_type(
        client_type,
        client_name=fields.pop("client_name", None) or _name_for(members),
        grant_types=grant_types,
        scopes=_scopes(client_type, grant_types, fields.pop("scopes", ()), terms),
        token_endpoint_auth_method=method,
        require_pkce=terms.pkce_for_all or method == "none" or terms.profile is not None,
        profile=terms.profile,
        **fields,
    )
    _refuse_our_name(metadata, terms)
    _refuse_foreign_sector(metadata)
    return client_type, metadata


def _grant_types(asked: list[str] | None, terms: Terms) -> list[str]:
    if asked is None:
        return ["authorization_code"]
    if not asked:
        raise InvalidClientMetadataError("grant_types: name at least one.")
    for grant_type in asked:
        if grant_type not in terms.grant_types:
            raise InvalidClientMetadataError(
                f"grant_types: {grant_type} is not open to this client."
            )
    return asked


def _scopes(
    client_type: ClientType, grant_types: Iterable[str], asked: Iterable[str], terms: Terms
) -> frozenset[str]:
    """Of a client that names none, all: some only name them when they ask a person for consent."""
    open_to_it = terms.scopes
    if GrantType.CLIENT_CREDENTIALS not in grant_types:
        open_to_it |= terms.scopes_to_ask_for
    if not asked:
        return frozenset() if client_type == "service" else open_to_it
    given = open_to_it.intersection(asked)
    if not given:
        raise InvalidClientMetadataError("scope: none of these scopes is open to this client.")
    return given


def _name_for(members: Mapping[str, Any]) -> str:
    """Of a client without a name: where it lives, which is what people are shown anyway."""
    for uri in members.get("redirect_uris") or ():
        try:
            parts = urlsplit(str(uri))
        except ValueError:
            continue
        place = parts.netloc or parts.scheme
        if 1 <= len(place) <= _LONGEST_NAME:
            return place
    return "Unnamed application"


def _refuse_our_name(metadata: ClientMetadata, terms: Terms) -> None:
    """A self-registered client must not pretend to be this server."""
    if terms.reserved_name and folded(terms.reserved_name) in folded(metadata.client_name):
        raise InvalidClientMetadataError("client_name: it contains the name of this server.")


def _refuse_foreign_sector(metadata: ClientMetadata) -> None:
    """Only where answers go to its redirect URIs does a client prove whose sector it is in.

    A device gets them without: it could name any host and learn the `sub` of people there.
    """
    if metadata.subject_type == "pairwise" and GrantType.DEVICE_CODE in metadata.grant_types:
        raise InvalidClientMetadataError(
            "subject_type: pairwise does not go with device codes, which prove no sector."
        )
