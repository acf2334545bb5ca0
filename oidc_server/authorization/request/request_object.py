"""Request objects: parameters inside a JWT that the client signed (RFC 9101, Core §6)."""

import math
from datetime import datetime
from typing import Any

import orjson

from oidc_server.authorization.request.by_reference import fetch_object
from oidc_server.domain.clients import Client
from oidc_server.oauth2.assertions import MAX_LIFETIME, has_begun, is_between
from oidc_server.oauth2.authlib import InvalidRequestError, InvalidRequestObjectError
from oidc_server.oauth2.client_keys import signing_algorithms
from oidc_server.security import jose
from oidc_server.security.jose import Claims
from oidc_server.web.context import Context
from oidc_server.web.incoming import Params

_STRINGS = frozenset(
    {
        "acr_values",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "display",
        "dpop_jkt",
        "id_token_hint",
        "login_hint",
        "nonce",
        "prompt",
        "redirect_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    }
)
_AUTHORS = frozenset({"iss", "client_id"})
_PLACE = ("redirect_uri", "response_mode", "response_type", "state")
_TYPES = (None, "jwt", "oauth-authz-req+jwt")


class UnfitObjectError(InvalidRequestObjectError):
    """The client signed it, and yet it is not good; `place` is what it says of the answer."""

    def __init__(self, description: str, place: Params) -> None:
        super().__init__(description)
        self.place = place


def has_object(params: Params) -> bool:
    return any(params.all(name) for name in ("request", "request_uri"))


def read_object(ctx: Context, client: Client, params: Params) -> Params:
    """The parameters inside, and only those (RFC 9101 §6.3).

    What old clients send outside as well is passed over, but must not say something else (Core
    §6.1). Raises an OAuth2Error; `FetchNeeded` and `OutboundUnavailableError` as for client keys.
    """
    token, uri = params.get("request"), params.get("request_uri")
    if token is not None and uri is not None:
        raise InvalidRequestError("request and request_uri were both sent (RFC 9101).")
    if token is None:
        token = fetch_object(ctx, client, uri or "")
    claims = _verified(ctx, client, token)
    try:
        _check(claims, client, ctx.runtime.issuer, ctx.now)
        inner = _to_params(claims)
    except InvalidRequestObjectError as error:
        raise UnfitObjectError(error.description, _place(claims)) from None
    outside = params.get("response_type")
    if outside is not None and inner.get("response_type") not in (None, outside):
        raise InvalidRequestError("The response_type outside the request object is another one.")
    return inner


def _verified(ctx: Context, client: Client, token: str) -> Claims:
    """What the client signed, fit or not (RFC 9101 §5, §6.2)."""
    claims = jose.peek(token)
    if claims is None:
        raise InvalidRequestObjectError("The request object is not a signed JWT.")
    if {claims[name] == client.client_id for name in _AUTHORS & claims.keys()} != {True}:
        raise InvalidRequestObjectError("The request object names another client, or none.")
    algorithms = signing_algorithms(client, client.metadata.request_object_signing_alg)
    signed = ctx.runtime.client_keys.verify(client, token, algorithms, ctx.now)
    if signed is None:
        raise InvalidRequestObjectError("No key of the client has signed the request object.")
    if signed.typ not in _TYPES:
        raise InvalidRequestObjectError("The request object has the typ of something else.")
    return signed.claims


def _check(claims: Claims, client: Client, issuer: str, now: datetime) -> None:
    """RFC 9101 §4, §10.8: for us, current, and no other kind of JWT."""
    audience = claims.get("aud", None if client.metadata.profile else issuer)
    audiences = audience if isinstance(audience, list) else [audience]
    problems = {
        "could serve as a client assertion": claims.get("sub") == client.client_id,
        "is for another server": issuer not in audiences,
        "refers to another one": not claims.keys().isdisjoint({"request", "request_uri"}),
        "is expired, or not valid yet": not _is_current(claims, client, now),
    }
    for problem, is_so in problems.items():
        if is_so:
            raise InvalidRequestObjectError(f"The request object {problem}.")


def _is_current(claims: Claims, client: Client, now: datetime) -> bool:
    """With the profile, an hour at most from `nbf` to `exp` (FAPI 2.0 Message Signing §5.3.1)."""
    seconds, lifetime = now.timestamp(), MAX_LIFETIME.total_seconds()
    if "exp" in claims and not is_between(claims["exp"], seconds, math.inf):
        return False
    if not has_begun(claims, now):
        return False
    if client.metadata.profile is None:
        return True
    return (
        claims.keys() >= {"exp", "nbf"}
        and claims["exp"] - claims["nbf"] <= lifetime
        and claims["nbf"] >= seconds - lifetime
    )


def _to_params(claims: Claims) -> Params:
    """As if the parameters had come by themselves, once each has the type that it must have."""
    values: dict[str, list[str]] = {}
    for name, value in claims.items():
        encoded = _encode(name, value)
        if encoded is None:
            continue
        if any("\0" in text for text in encoded):
            raise InvalidRequestObjectError("The request object contains a NUL character.")
        values[name] = encoded
    return Params(values)


def _place(claims: Claims) -> Params:
    """Where the answer may go, as far as it can be read (RFC 9101 §6.3)."""
    texts = {name: claims.get(name) for name in _PLACE}
    return Params(
        {name: [text] for name, text in texts.items() if isinstance(text, str) and "\0" not in text}
    )


def _encode(name: str, value: Any) -> list[str] | None:
    """None for what is no parameter that we know."""
    match name, value:
        case "max_age", int() if not isinstance(value, bool):
            return [str(value)]
        case "claims", dict():
            return [orjson.dumps(value).decode("utf-8")]
        case "resource", str():
            return [value]
        case "resource", list() if all(isinstance(member, str) for member in value):
            return value
        case (("max_age" | "claims" | "resource"), _):
            pass
        case _, str() if name in _STRINGS:
            return [value]
        case _ if name not in _STRINGS:
            return None
    raise InvalidRequestObjectError(f"{name} in the request object is not of its type.")
