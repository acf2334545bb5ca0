"""The `claims` parameter (Core §5.5): read strictly, and cut down to what can have an effect."""

from typing import Any

from oidc_server.domain.claims import CLAIMS_SUPPORTED, narrow
from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import InvalidRequestError
from oidc_server.security.jose import parse_json_object

_MAX_LENGTH = 4096
_MOST_VALUES = 20
_PLACES = ("userinfo", "id_token")
_WITH_VALUES = ("sub", "acr")
"""Claims that a client can ask for with a value to any effect."""

ClaimsRequest = dict[str, dict[str, dict[str, Any] | None]]
"""Place (`userinfo` or `id_token`) → claim → how it is asked for, None for no more than that."""


def read_claims(text: str, client: Client) -> ClaimsRequest | None:
    """What is asked for, of what this client may be told; None if that is nothing.

    Other places, other claims and other members of a claim are left out, whatever their form: what
    extensions ask for may be a list (Core §5.5, §5.5.1). Raises `InvalidRequestError` for what is
    not of the form that Core gives it.
    """
    if len(text) > _MAX_LENGTH:
        raise InvalidRequestError(f"The claims are longer than {_MAX_LENGTH} characters.")
    try:
        document = parse_json_object(text.encode("utf-8"))
    except ValueError:
        raise InvalidRequestError("The claims are not a JSON object.") from None
    present = [place for place in _PLACES if place in document]
    asked = {place: _place(place, document[place]) for place in present}
    allowed = narrow(asked, client.metadata.scopes) or {}
    return {place: claims for place, claims in allowed.items() if claims} or None


def _place(place: str, value: Any) -> dict[str, dict[str, Any] | None]:
    if not isinstance(value, dict):
        raise InvalidRequestError(f"The member {place} of claims is not an object.")
    known = [(name, request) for name, request in value.items() if name in CLAIMS_SUPPORTED]
    return {name: _claim(name, request) for name, request in known}


def _claim(name: str, request: Any) -> dict[str, Any] | None:
    """Core §5.5.1: null, or an object with `essential`, `value`, `values`."""
    if request is None:
        return None
    if not isinstance(request, dict):
        raise InvalidRequestError("A claim is asked for with null or an object.")
    members = ("essential", "value", "values") if name in _WITH_VALUES else ("essential",)
    asked = {member: request[member] for member in members if member in request}
    if not isinstance(asked.get("essential", False), bool):
        raise InvalidRequestError("The member essential of a claim is true or false.")
    values = asked.get("values", [])
    if not isinstance(values, list) or len(values) > _MOST_VALUES:
        raise InvalidRequestError("The member values of a claim is not a short list.")
    for value in (*values, asked.get("value", "")):
        if not isinstance(value, str | int | float) or (isinstance(value, str) and "\0" in value):
            raise InvalidRequestError("A claim is asked for with values that it cannot have.")
    return asked
