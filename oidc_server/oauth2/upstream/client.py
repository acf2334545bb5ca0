"""Requests to a provider, as its client, and its responses: Authlib makes the requests."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from oidc_server.domain.upstream_sign_ins import Attempt
from oidc_server.oauth2.authlib import OAuth2Client, OAuth2Error
from oidc_server.outbound.http import Answer, HttpClient
from oidc_server.security.jose import parse_json_object


class UpstreamError(Exception):
    """The sign-in cannot be trusted, or was refused; the reason is for log and audit log."""


@dataclass(frozen=True)
class Registration:
    """What the provider knows us by, and where it sends people back to."""

    issuer: str
    client_id: str
    client_secret: str | None
    token_endpoint_auth_method: str
    scope: str
    redirect_uri: str


def client_of(registration: Registration, http: HttpClient) -> OAuth2Client:
    """Authlib's client, which asks through `http`."""
    client = OAuth2Client(
        _Transport(http),
        client_id=registration.client_id,
        client_secret=registration.client_secret,
        token_endpoint_auth_method=registration.token_endpoint_auth_method,
        scope=registration.scope,
        redirect_uri=registration.redirect_uri,
        code_challenge_method="S256",
    )
    client.register_client_auth_method(("client_secret_basic", _basic))
    return client


def check_response(
    registration: Registration, metadata: Mapping[str, Any], response: Mapping[str, str]
) -> None:
    """Raise `UpstreamError` unless this provider sent the browser back, and with no error."""
    _check_issuer(registration, metadata, response)
    if "error" in response:
        raise UpstreamError(f"answered {_error_code(response['error'])}")


def fetch_tokens(
    registration: Registration,
    http: HttpClient,
    metadata: Mapping[str, Any],
    attempt: Attempt,
    code: str,
) -> Mapping[str, Any]:
    """The token response, with an ID Token in it (Core §3.1.3); raises `UpstreamError`."""
    try:
        tokens: Mapping[str, Any] = client_of(registration, http).fetch_token(
            metadata["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=attempt.code_verifier,
        )
    except OAuth2Error as error:
        code = _error_code(error.error)
        raise UpstreamError(f"the token endpoint answered {code}") from None
    except (ValueError, TypeError, KeyError, OverflowError):
        raise UpstreamError("the token endpoint did not answer with tokens") from None
    if not isinstance(tokens.get("id_token"), str):
        raise UpstreamError("there is no ID Token")
    return tokens


def _check_issuer(
    registration: Registration, metadata: Mapping[str, Any], response: Mapping[str, str]
) -> None:
    """RFC 9207 §2.4: an answer of another provider must not end here."""
    promised = metadata.get("authorization_response_iss_parameter_supported") is True
    if response.get("iss") != registration.issuer and (promised or "iss" in response):
        raise UpstreamError("the answer is of another issuer")


def _error_code(value: object) -> str:
    """What may be logged of an error code (RFC 6749 §4.1.2.1), which others chose."""
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return value[:100]
    return "with what is no error code"


def _basic(client: Any, _method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
    """RFC 6749 §2.3.1: both are form-encoded before they become Basic, which Authlib leaves out."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(pair.encode('ascii')).decode('ascii')}"
    return uri, headers, body


class _Transport:
    """The HTTP session of Authlib's client."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def post(self, url: str, data: Mapping[str, str], headers: Any, auth: Any) -> "_TokenAnswer":
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _TokenAnswer(self._http.post(url, body, headers=headers))


class _TokenAnswer:
    """A response as Authlib's client reads it; 5xx was raised before."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self._body = answer.body

    def json(self) -> dict[str, Any]:
        document = parse_json_object(self._body)
        # Authlib raises for characters that must not be in it; the code is enough.
        document.pop("error_description", None)
        return document

    def raise_for_status(self) -> None:
        raise ValueError(f"answered {self.status_code}")
