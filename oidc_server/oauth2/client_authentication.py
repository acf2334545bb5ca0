"""Client authentication (RFC 6749 §2.3, Core §9): one mechanism, the registered one."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote_plus

from oidc_server.domain import clients
from oidc_server.domain.audit import Event
from oidc_server.domain.client_metadata import ASYMMETRIC_ALGORITHMS, AUTH_METHODS
from oidc_server.domain.clients import Client
from oidc_server.oauth2 import client_assertions
from oidc_server.oauth2.authlib import InvalidClientError, InvalidRequestError
from oidc_server.oauth2.client_assertions import ASSERTION_TYPE, SECRET_ALGORITHM
from oidc_server.oauth2.exchange import Exchange
from oidc_server.observability import current
from oidc_server.security import opaque_tokens

METHODS = AUTH_METHODS
ASSERTION_ALGORITHMS = (*ASYMMETRIC_ALGORITHMS, SECRET_ALGORITHM)
_ASSERTION = "client_assertion"
_MAX_HEADER = 4096
_SAME_ANSWER = (
    "Client authentication failed: client_id, secret or key, and token_endpoint_auth_method"
    " must be those that are registered."
)
_ASSERTIONS = (
    " Its iss and sub must be the client_id, its aud the issuer as one string, its exp in the"
    " future, and its jti new."
)


class Credentials(NamedTuple):
    """Who a client says it is, and how it says so.

    `method` is one of RFC 7591; an assertion alone does not tell which of the two JWT methods.
    """

    client_id: str
    secret: str | None
    method: str
    assertion: str | None = None


class AuthenticatedClient(NamedTuple):
    """An authenticated client, in the form that Authlib's grants expect."""

    client: Client
    method: str

    def check_grant_type(self, grant_type: str) -> bool:
        return self.client.allows_grant(grant_type)


def authenticate(exchange: Exchange, *, claim: bool = True) -> AuthenticatedClient:
    """The client behind a request; raises `InvalidClientError`, the same for every reason.

    The error names the method that was used, since many libraries choose one by themselves.
    `claim=False` is for a check before the real one: it uses up no assertion and records no
    refusal. May raise `FetchNeeded` and `OutboundUnavailableError` for a client with a `jwks_uri`.
    """
    credentials = read_credentials(exchange.authorization, exchange.form)
    client = clients.find(exchange.db, credentials.client_id)
    if client is None:
        _compare_with_nothing(credentials)
    elif _proves(client, credentials, exchange, claim=claim):
        current.note(client_id=client.client_id)
        exchange.admit(client)
        return AuthenticatedClient(client, client.metadata.token_endpoint_auth_method)
    if claim:
        exchange.record(
            Event.CLIENT_REFUSED,
            client_id=client.client_id if client else None,
            method=credentials.method,
        )
    what_to_mend = f"{_SAME_ANSWER} This came with {credentials.method}."
    if credentials.assertion is not None:
        what_to_mend += _ASSERTIONS
    raise InvalidClientError(what_to_mend, status_code=401)


def _proves(client: Client, credentials: Credentials, exchange: Exchange, *, claim: bool) -> bool:
    registered = client.metadata.token_endpoint_auth_method
    if credentials.assertion is not None:
        return registered in client_assertions.METHODS and client_assertions.proves(
            exchange, client, credentials.assertion, claim=claim
        )
    if registered == "none":
        # An empty secret is as good as none (RFC 6749 §2.3.1, ADR 0030).
        return not credentials.secret
    if registered != credentials.method:
        return False
    return credentials.secret is not None and client.knows_secret(credentials.secret, exchange.now)


def _compare_with_nothing(credentials: Credentials) -> None:
    """Take as long for a client that does not exist as for a wrong secret."""
    if credentials.secret is not None:
        digest = opaque_tokens.digest(credentials.secret)
        opaque_tokens.constant_time_equal(digest, bytes(len(digest)))


def read_credentials(authorization: Sequence[str], form: Mapping[str, str]) -> Credentials:
    """The credentials of a request; raises `InvalidRequestError` for more than one mechanism."""
    if len(authorization) > 1:
        raise InvalidRequestError("More than one Authorization header was sent.")
    in_body = form.get("client_secret")
    named = form.get("client_id")
    if _ASSERTION in form or "client_assertion_type" in form:
        if authorization or in_body is not None:
            raise InvalidRequestError("The client authenticated in more than one way.")
        return _read_assertion(form, named)
    if authorization:
        if in_body is not None:
            raise InvalidRequestError("The client authenticated in more than one way.")
        client_id, secret = _read_basic(authorization[0])
        if named is not None and named != client_id:
            raise InvalidClientError(_SAME_ANSWER, status_code=401)
        return Credentials(client_id, secret, "client_secret_basic")
    if named is None:
        raise InvalidClientError("The request names no client.", status_code=401)
    return Credentials(named, in_body, "none" if in_body is None else "client_secret_post")


def _read_assertion(form: Mapping[str, str], named: str | None) -> Credentials:
    """Read `client_assertion` (RFC 7521 §4.2); the client is its `sub`."""
    assertion = form.get(_ASSERTION, "")
    client_id = client_assertions.named_client(assertion)
    if form.get("client_assertion_type") != ASSERTION_TYPE or client_id is None:
        raise InvalidClientError(_SAME_ANSWER, status_code=401)
    if named is not None and named != client_id:
        raise InvalidClientError(_SAME_ANSWER, status_code=401)
    return Credentials(client_id, None, _ASSERTION, assertion)


def _read_basic(header: str) -> tuple[str, str]:
    """Read `Authorization: Basic` strictly (RFC 6749 §2.3.1, RFC 7617 §2)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > _MAX_HEADER:
        raise InvalidClientError(_SAME_ANSWER, status_code=401)
    try:
        text = base64.b64decode(encoded.strip().encode("ascii"), validate=True).decode("utf-8")
        client_id, colon, secret = text.partition(":")
        if "%" in text or "+" in text:  # none of ours needs it
            client_id = unquote_plus(client_id, errors="strict")
            secret = unquote_plus(secret, errors="strict")
    except (binascii.Error, UnicodeError):
        raise InvalidClientError(_SAME_ANSWER, status_code=401) from None
    if not colon or not client_id or "\0" in client_id or "\0" in secret:
        raise InvalidClientError(_SAME_ANSWER, status_code=401)
    return client_id, secret
