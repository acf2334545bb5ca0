"""Sign-in with another provider: we are the client of somebody else (OpenID Connect Core §3.1).

Authlib's client makes the requests and judges the claims; they travel through `outbound/http.py`,
behind one breaker for each provider, and signatures are verified by `security/jose`. `redeem` asks
up to four times and blocks for seconds: it belongs on a thread made for waiting.
"""

import threading
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

from oidc_server.clock import Clock
from oidc_server.domain.upstream_sign_ins import Attempt
from oidc_server.oauth2.authlib import CodeIDToken, OAuth2Client, OAuth2Error
from oidc_server.oauth2.client_keys import parse_keys
from oidc_server.outbound.addresses import OutboundRefusedError, OutboundUnavailableError
from oidc_server.outbound.breaker import Breaker
from oidc_server.outbound.documents import Documents, FetchNeeded, Purpose
from oidc_server.outbound.http import Answer, HttpClient
from oidc_server.security.jose import ClaimError, ClientKeys, Signed, parse_json_object
from oidc_server.settings import Settings

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""What an ID Token of others may be signed with: never with a secret that we share."""
LEEWAY = timedelta(seconds=60)
"""The clocks of others are not ours."""
CLAIMS = ("email", "email_verified", "name", "preferred_username")
"""What we would like to know of somebody who is new here."""
_MAX_SUB = 255
"""Core §2."""
_LONGEST = 320
_YEAR_10000 = 253_402_300_800
"""No date is as late, in seconds since 1970."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class UpstreamError(Exception):
    """The sign-in cannot be believed, or was refused; the reason is for the log and the audit."""


@dataclass(frozen=True)
class Registration:
    """What the provider knows us by, and where it sends people back to."""

    issuer: str
    client_id: str
    client_secret: str | None
    token_endpoint_auth_method: str
    scope: str
    redirect_uri: str


@dataclass(frozen=True)
class Told:
    """Who signed in there, and when, if the provider said so. `claims` are among `CLAIMS`."""

    sub: str
    claims: Mapping[str, Any]
    auth_time: datetime | None


class Upstream:
    """One provider, in this process: what it publishes, and whether it answers."""

    def __init__(self, settings: Settings, clock: Clock, name: str) -> None:
        self._breaker = Breaker.of(
            settings, f"provider {name}", answers=(OutboundRefusedError,), kind="provider"
        )
        self._http = HttpClient(settings, breaker=self._breaker)
        self._documents = Documents(self._http, clock)

    @property
    def seconds_left(self) -> float:
        """For how long the provider is left alone after failures; 0 if it may be asked."""
        return self._breaker.seconds_left

    def retire(self) -> None:
        """This is not how the provider is asked any more."""
        self._breaker.retire()

    def authorization_url(
        self,
        registration: Registration,
        attempt: Attempt,
        now: datetime,
        *,
        max_age: timedelta,
        login_again: bool = False,
        ui_locales: str | None = None,
    ) -> str:
        """Where to send the browser (Core §3.1.2.1, RFC 7636 §4.3).

        `max_age` has the provider tell when the person signed in there (`auth_time`). Raises
        `FetchNeeded`, `OutboundUnavailableError`, `OutboundRefusedError`.
        """
        metadata: Mapping[str, Any] = self._documents.get(_METADATA, _published(registration), now)
        self._check(registration, metadata)
        client = _client(registration, self._http)
        url, _ = client.create_authorization_url(
            metadata["authorization_endpoint"],
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.code_verifier,
            prompt="login" if login_again else None,
            max_age=str(int(max_age.total_seconds())),
            ui_locales=ui_locales,
        )
        return str(url)

    def redeem(
        self,
        registration: Registration,
        attempt: Attempt,
        response: Mapping[str, str],
        now: datetime,
    ) -> Told:
        """Who signed in, by the answer that the browser brought; blocks for seconds.

        Raises `UpstreamError` for what cannot be believed, and `OutboundUnavailableError`.
        """
        try:
            metadata = self._fetched(_METADATA, _published(registration), now)
            self._check(registration, metadata)
            _check_issuer(registration, metadata, response)
            if "error" in response:
                raise UpstreamError(f"answered {_error_code(response['error'])}")
            tokens = self._tokens(registration, metadata, attempt, response.get("code", ""))
            claims = self._id_token(registration, metadata, attempt, tokens, now)
            more = self._userinfo(metadata, tokens, claims)
        except OutboundRefusedError as error:
            raise UpstreamError(str(error)) from None
        return Told(claims["sub"], _wanted(claims, more), _auth_time(claims))

    def _check(self, registration: Registration, metadata: Mapping[str, Any]) -> None:
        """Discovery §4.3. The browser is sent to no address that we would not ask ourselves."""
        if metadata.get("issuer") != registration.issuer:
            raise OutboundRefusedError("the metadata is of another issuer")
        for name in _ENDPOINTS:
            self._http.check_url(str(metadata.get(name)))

    def _tokens(
        self,
        registration: Registration,
        metadata: Mapping[str, Any],
        attempt: Attempt,
        code: str,
    ) -> Mapping[str, Any]:
        """Core §3.1.3."""
        try:
            tokens: Mapping[str, Any] = _client(registration, self._http).fetch_token(
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

    def _id_token(
        self,
        registration: Registration,
        metadata: Mapping[str, Any],
        attempt: Attempt,
        tokens: Mapping[str, Any],
        now: datetime,
    ) -> Mapping[str, Any]:
        """The claims of the ID Token, all of Core §3.1.3.7 checked."""
        signed = self._verified(metadata, tokens["id_token"], now)
        if signed is None:
            raise UpstreamError("the ID Token is not signed by the provider")
        # RFC 9864 has a newer name for what Authlib knows as EdDSA.
        alg = "EdDSA" if signed.header["alg"] == "Ed25519" else signed.header["alg"]
        claims = CodeIDToken(
            signed.claims,
            {**signed.header, "alg": alg},
            {
                "iss": {"essential": True, "value": registration.issuer},
                "aud": {"essential": True, "value": registration.client_id},
                "sub": {"essential": True},
                "exp": {"essential": True},
                "iat": {"essential": True},
            },
            {
                "nonce": attempt.nonce,
                "client_id": registration.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        try:
            claims.validate(now=int(now.timestamp()), leeway=int(LEEWAY.total_seconds()))
        except (ClaimError, ValueError, TypeError, AttributeError) as error:
            claim = getattr(error, "claim", None) or type(error).__name__
            raise UpstreamError(f"the ID Token does not hold: {claim}") from None
        sub = signed.claims.get("sub")
        if not isinstance(sub, str) or not 0 < len(sub) <= _MAX_SUB or "\0" in sub:
            raise UpstreamError("the ID Token does not hold: sub")
        return signed.claims

    def _verified(self, metadata: Mapping[str, Any], token: str, now: datetime) -> Signed | None:
        offered = metadata.get("id_token_signing_alg_values_supported")
        named = offered if isinstance(offered, list) else ["RS256"]
        algorithms = [alg for alg in ALGORITHMS if alg in named]
        jwks_uri = metadata["jwks_uri"]
        keys: ClientKeys = self._fetched(_JWKS, jwks_uri, now)
        signed = keys.verify(token, algorithms)
        if signed is not None:
            return signed
        try:
            # It may have new keys since we asked.
            self._documents.renew(_JWKS, jwks_uri, now)
        except FetchNeeded as need:
            need.fetch()
        else:
            return None
        keys = self._fetched(_JWKS, jwks_uri, now)
        return keys.verify(token, algorithms)

    def _userinfo(
        self, metadata: Mapping[str, Any], tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What the ID Token does not say (Core §5.3); nothing if that cannot be had."""
        url, token = metadata.get("userinfo_endpoint"), tokens.get("access_token")
        if "email" in claims or not isinstance(url, str) or not _is_token(token):
            return {}
        try:
            answer = self._http.get(url, headers={"Authorization": f"Bearer {token}"})
            found = parse_json_object(answer.body) if answer.status == 200 else {}
        except (OutboundUnavailableError, OutboundRefusedError, ValueError):
            return {}
        if found and found.get("sub") != claims["sub"]:
            raise UpstreamError("userinfo is about somebody else")
        return found

    def _fetched(self, purpose: Purpose, url: str, now: datetime) -> Any:
        try:
            return self._documents.get(purpose, url, now)
        except FetchNeeded as need:
            need.fetch()
        return self._documents.get(purpose, url, now)


class Upstreams:
    """The providers of this process. What is known of one is forgotten when it is changed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[object, Upstream]] = {}

    def of(self, provider_id: str, name: str, revision: object) -> Upstream:
        """The one with this id, as it is since `revision`."""
        with self._lock:
            known = self._known.get(provider_id)
            if known is None or known[0] != revision:
                if known is not None:
                    known[1].retire()
                known = (revision, Upstream(self._settings, self._clock, name))
                self._known[provider_id] = known
            return known[1]

    def keep(self, provider_ids: Collection[str]) -> None:
        """Forget all but these: the others were disabled or removed, perhaps by another process."""
        with self._lock:
            for provider_id in self._known.keys() - provider_ids:
                self._known.pop(provider_id)[1].retire()


class _Transport:
    """What Authlib's client asks through."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def post(self, url: str, data: Mapping[str, str], headers: Any, auth: Any) -> "_TokenAnswer":
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _TokenAnswer(self._http.post(url, body, headers=headers))


class _TokenAnswer:
    """An answer as Authlib's client reads it. One of 5xx never gets here."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self._body = answer.body

    def json(self) -> dict[str, Any]:
        document = parse_json_object(self._body)
        # Authlib takes no words with other characters than it should have; the code will do.
        document.pop("error_description", None)
        return document

    def raise_for_status(self) -> None:
        raise ValueError(f"answered {self.status_code}")


def _client(registration: Registration, http: HttpClient) -> OAuth2Client:
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


def _basic(client: Any, _method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
    """RFC 6749 §2.3.1: both are form-encoded before they become Basic, which Authlib leaves out."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(pair.encode('ascii')).decode('ascii')}"
    return uri, headers, body


def _published(registration: Registration) -> str:
    """Discovery §4."""
    return registration.issuer.rstrip("/") + "/.well-known/openid-configuration"


def _check_issuer(
    registration: Registration, metadata: Mapping[str, Any], response: Mapping[str, str]
) -> None:
    """RFC 9207 §2.4: an answer of another provider must not end here."""
    promised = metadata.get("authorization_response_iss_parameter_supported") is True
    if response.get("iss") != registration.issuer and (promised or "iss" in response):
        raise UpstreamError("the answer is of another issuer")


_METADATA = Purpose(
    name="provider metadata",
    accept="application/json",
    lifetime=timedelta(hours=1),
    stale_lifetime=timedelta(hours=24),
    parse=parse_json_object,
)
_JWKS = Purpose(
    name="provider keys",
    accept="application/jwk-set+json, application/json",
    lifetime=timedelta(minutes=15),
    stale_lifetime=timedelta(hours=1),
    parse=parse_keys,
)


def _wanted(claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """What is of use, if it is what it should be; the ID Token goes before userinfo.

    Whether an address is verified, only they say who name it (Core §5.7).
    """
    told = {**userinfo, **claims}
    of_email = claims if "email" in claims else userinfo
    found: dict[str, Any] = {}
    for name in CLAIMS:
        value = told.get(name)
        if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable():
            found[name] = value
    return {**found, "email_verified": of_email.get("email_verified") is True}


def _error_code(value: object) -> str:
    """What may be written down of an error (RFC 6749 §4.1.2.1): others chose its words."""
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return value[:100]
    return "with what is no error code"


def _auth_time(claims: Mapping[str, Any]) -> datetime | None:
    value = claims.get("auth_time")
    if not isinstance(value, (int, float)) or not 0 < value < _YEAR_10000:
        return None
    return datetime.fromtimestamp(value, UTC)


def _is_token(token: object) -> bool:
    return isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token
