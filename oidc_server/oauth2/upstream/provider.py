"""The providers of this process: what each publishes, and what comes of a sign-in with it.

Every request travels through `outbound/http.py`, behind one breaker for each provider, and
signatures are verified by `security/jose`. `redeem` asks up to four times and blocks for seconds:
it belongs on a thread made for waiting.
"""

import threading
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from oidc_server.clock import Clock
from oidc_server.domain.upstream_sign_ins import Attempt
from oidc_server.oauth2.client_keys import parse_keys
from oidc_server.oauth2.upstream.claims import Told, claims_of, told
from oidc_server.oauth2.upstream.client import (
    Registration,
    UpstreamError,
    check_response,
    client_of,
    fetch_tokens,
)
from oidc_server.outbound.addresses import OutboundRefusedError, OutboundUnavailableError
from oidc_server.outbound.breaker import Breaker
from oidc_server.outbound.documents import Documents, FetchNeeded, Purpose
from oidc_server.outbound.http import HttpClient
from oidc_server.security.jose import ClientKeys, Signed, parse_json_object
from oidc_server.settings import Settings

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""What an ID Token of others may be signed with: never with a secret that we share."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


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
        """Seconds for which the circuit breaker of the provider refuses calls; 0 if it does not."""
        return self._breaker.seconds_left

    def retire(self) -> None:
        """Take its breaker out of the metrics: the provider was changed or removed."""
        self._breaker.retire()

    def look(self, issuer: str) -> None:
        """Whether a browser could be sent there now, past the cache; blocks for seconds.

        Raises `OutboundUnavailableError`, `OutboundRefusedError` if not.
        """
        self._check(issuer, self._documents.ask(_METADATA, _published(issuer)))

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
        metadata: Mapping[str, Any] = self._documents.get(
            _METADATA, _published(registration.issuer), now
        )
        self._check(registration.issuer, metadata)
        client = client_of(registration, self._http)
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
        """Who signed in, by the response that the browser brought; blocks for seconds.

        Raises `UpstreamError` for what cannot be trusted, and `OutboundUnavailableError`.
        """
        try:
            metadata = self._fetched(_METADATA, _published(registration.issuer), now)
            self._check(registration.issuer, metadata)
            check_response(registration, metadata, response)
            code = response.get("code", "")
            tokens = fetch_tokens(registration, self._http, metadata, attempt, code)
            signed = self._verified(metadata, tokens["id_token"], now)
            claims = claims_of(signed, registration, attempt, tokens.get("access_token"), now)
            more = self._userinfo(metadata, tokens, claims)
        except OutboundRefusedError as error:
            raise UpstreamError(str(error)) from None
        return told(claims, more)

    def _check(self, issuer: str, metadata: Mapping[str, Any]) -> None:
        """Discovery §4.3. The browser is sent to no address that we would not ask ourselves."""
        if metadata.get("issuer") != issuer:
            raise OutboundRefusedError("the metadata is of another issuer")
        for name in _ENDPOINTS:
            self._http.check_url(str(metadata.get(name)))

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
        """The provider with this id; another `revision` replaces what is known of it."""
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


def _published(issuer: str) -> str:
    """Discovery §4."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


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


def _is_token(token: object) -> bool:
    return isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token
