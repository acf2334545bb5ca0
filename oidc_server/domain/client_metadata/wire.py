"""Client metadata as JSON carries them (RFC 7591 §2): which members there are, and their types."""

from collections.abc import Callable, Mapping
from typing import Any

from oidc_server.domain.client_metadata.model import (
    ClientMetadata,
    ClientType,
    InvalidClientMetadataError,
)

Members = Mapping[str, Any]
"""A JSON object. A member that is null counts as left out (RFC 7592 §2.2)."""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


_Kind = tuple[Callable[[object], bool], str]
_TEXT: _Kind = (_is_text, "it must be a string.")
_LIST: _Kind = (_is_list, "it must be a list of strings.")
_FLAG: _Kind = (_is_flag, "it must be true or false.")
_NUMBER: _Kind = (_is_number, "it must be a whole number.")
_OBJECT: _Kind = (_is_object, "it must be an object.")

_FIELDS: dict[str, _Kind] = {
    "client_name": _TEXT,
    "redirect_uris": _LIST,
    "grant_types": _LIST,
    "token_endpoint_auth_method": _TEXT,
    "client_uri": _TEXT,
    "logo_uri": _TEXT,
    "tos_uri": _TEXT,
    "policy_uri": _TEXT,
    "contacts": _LIST,
    "jwks": _OBJECT,
    "jwks_uri": _TEXT,
    "software_id": _TEXT,
    "software_version": _TEXT,
    "token_endpoint_auth_signing_alg": _TEXT,
    "id_token_signed_response_alg": _TEXT,
    "id_token_encrypted_response_alg": _TEXT,
    "id_token_encrypted_response_enc": _TEXT,
    "userinfo_signed_response_alg": _TEXT,
    "userinfo_encrypted_response_alg": _TEXT,
    "userinfo_encrypted_response_enc": _TEXT,
    "request_object_signing_alg": _TEXT,
    "request_uris": _LIST,
    "subject_type": _TEXT,
    "sector_identifier_uri": _TEXT,
    "default_max_age": _NUMBER,
    "require_auth_time": _FLAG,
    "default_acr_values": _LIST,
    "initiate_login_uri": _TEXT,
    "post_logout_redirect_uris": _LIST,
    "backchannel_logout_uri": _TEXT,
    "backchannel_logout_session_required": _FLAG,
    "frontchannel_logout_uri": _TEXT,
    "frontchannel_logout_session_required": _FLAG,
    "require_signed_request_object": _FLAG,
    "authorization_signed_response_alg": _TEXT,
    "require_pushed_authorization_requests": _FLAG,
    "dpop_bound_access_tokens": _FLAG,
    "introspection_signed_response_alg": _TEXT,
}
"""Members that are fields of `ClientMetadata` under the same name."""
OPERATORS_FIELDS: dict[str, _Kind] = {
    "profile": _TEXT,
    "require_pkce": _FLAG,
    "skip_consent": _FLAG,
    "may_introspect": _FLAG,
    "may_exchange": _FLAG,
}
"""Fields of ours: an operator chooses them, no client does for itself."""
_OTHERS: dict[str, _Kind] = {"scope": _TEXT, "application_type": _TEXT, "response_types": _LIST}
_PYTHON: dict[_Kind, type] = {_TEXT: str, _LIST: list, _FLAG: bool, _NUMBER: int, _OBJECT: dict}
MEMBERS = frozenset(_FIELDS.keys() | _OTHERS.keys())


def member_types() -> dict[str, type]:
    """The type of each member that an operator may choose beside the type of client."""
    known = {**_FIELDS, **OPERATORS_FIELDS, **_OTHERS}
    del known["application_type"]
    return {name: _PYTHON[kind] for name, kind in known.items()}


def fields_of(members: Members, *, by_operator: bool = False) -> dict[str, Any]:
    """What these members choose, as `for_type` takes it; other members are passed over.

    Raises `InvalidClientMetadataError` for a member of the wrong type, and for grant types and
    response types that do not fit together (RFC 7591 §2.1).
    """
    known = {**_FIELDS, **(OPERATORS_FIELDS if by_operator else {})}
    for name, (fits, problem) in {**known, **_OTHERS}.items():
        if members.get(name) is not None and not fits(members[name]):
            _refuse(name, problem)
    chosen = {name: members[name] for name in known if members.get(name) is not None}
    if members.get("scope") is not None:
        chosen["scopes"] = members["scope"].split()
    _check_response_types(members)
    return chosen


def type_of(members: Members) -> ClientType:
    """The type of client that describes itself like this (OpenID Connect Registration §2)."""
    application_type = members.get("application_type") or "web"
    if application_type not in ("web", "native"):
        _refuse("application_type", f"{application_type} is not supported.")
    if members.get("grant_types") == ["client_credentials"]:
        return "service"
    if application_type == "native":
        return "native"
    return "spa" if members.get("token_endpoint_auth_method") == "none" else "web"


def members_of(client_type: ClientType, metadata: ClientMetadata) -> dict[str, Any]:
    """Everything registered, the defaults too, as it is told to the client (RFC 7591 §3.2.1)."""
    document = metadata.to_document()
    members = {name: document[name] for name in _FIELDS if document.get(name) not in (None, [])}
    members["redirect_uris"] = document["redirect_uris"]
    members["scope"] = " ".join(document["scopes"])
    members["application_type"] = "native" if client_type == "native" else "web"
    members["response_types"] = ["code"] if "authorization_code" in metadata.grant_types else []
    return members


def _check_response_types(members: Members) -> None:
    """Codes go with the authorization code grant, and with nothing else."""
    grant_types = members.get("grant_types")
    if "implicit" in (grant_types or ()):
        _refuse("grant_types", "implicit is not supported (RFC 9700 §2.1.2).")
    response_types = members.get("response_types")
    if response_types is None:
        return
    for response_type in response_types:
        if response_type != "code":
            _refuse("response_types", f"{response_type} is not supported; only code is.")
    by_code = grant_types is None or "authorization_code" in grant_types
    if by_code != bool(response_types):
        _refuse(
            "response_types", "they must fit the grant_types: code goes with authorization_code."
        )


def _refuse(name: str, problem: str) -> None:
    error = "invalid_redirect_uri" if name == "redirect_uris" else "invalid_client_metadata"
    raise InvalidClientMetadataError(f"{name}: {problem}", error)
