"""The JWT bearer grant (RFC 7523 §2.1): an issuer that the operator trusts speaks for a user."""

from typing import Any

from oidc_server.domain import (
    closed_accounts,
    credentials,
    grants,
    subjects,
    trusted_issuers,
    users,
)
from oidc_server.domain.audit import Event
from oidc_server.domain.base import parse_id
from oidc_server.domain.grants import Authorization
from oidc_server.domain.trusted_issuers import TrustedIssuer
from oidc_server.oauth2 import assertions
from oidc_server.oauth2.authlib import (
    InvalidGrantError,
    InvalidScopeError,
    TokenGrantBase,
    UnauthorizedClientError,
)
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.requested import known_resources, scopes_for
from oidc_server.oauth2.vocabulary import GrantType, Scope
from oidc_server.security import jose
from oidc_server.security.jose import Claims
from oidc_server.token import issuing

_NAMESPACE = "jwt_bearer"
_LONGEST_NAME = 256
_NO_USER = "The assertion names no user of this server."
_NEEDS_A_SIGN_IN = frozenset({Scope.OPENID.value, Scope.OFFLINE_ACCESS.value})


class JWTBearerGrant(TokenGrantBase):
    """A confidential client gets an access token for the user that an assertion names.

    Nobody signed in here, so there is no ID Token, and no refresh token: the next assertion is as
    easily had.
    """

    GRANT_TYPE = GrantType.JWT_BEARER.value

    def validate_token_request(self) -> None:
        authenticated = self.authenticate_token_endpoint_client()
        exchange = self.server.exchange
        client = authenticated.client
        if client.is_public or not authenticated.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client is not registered for JWT bearer grants.")
        assertion = exchange.required("assertion")
        self._trusted, self._claims = _verified(exchange, assertion)
        self._user = _subject(exchange, self._trusted, self._claims)
        self._scopes = scopes_for(client, exchange.form.get("scope")) - _NEEDS_A_SIGN_IN
        if not self._scopes and "scope" in exchange.form:
            raise InvalidScopeError("An assertion gives none of these scopes.")
        self._resources = frozenset(
            known_resources(exchange.db, exchange.issuer, exchange.resources)
        )
        self.request.client = authenticated

    def create_token_response(self) -> tuple[int, dict[str, Any], list[Any]]:
        """Use the assertion up, then mint. The grant ends when the token does."""
        exchange, client = self.server.exchange, self.request.client.client
        if not closed_accounts.hold_open(exchange.db, self._user.id):
            raise InvalidGrantError(_NO_USER)
        if not assertions.claim(exchange.db, _NAMESPACE, self._trusted.issuer, self._claims):
            raise InvalidGrantError("The assertion was used before.")
        authorization = Authorization(
            user_id=self._user.id,
            pairwise_sub=subjects.pairwise_sub(exchange.db, client, self._user.id, exchange.now),
            client_id=client.client_id,
            scopes=self._scopes,
            resources=self._resources,
            auth_time=exchange.now,
            amr=frozenset(),
            acr=None,
        )
        lifetime = exchange.lifetimes.access_token_lifetime
        granted = grants.mint(exchange.db, authorization, exchange.now, lifetime)
        exchange.record(
            Event.ASSERTION_ACCEPTED,
            user_id=self._user.id,
            client_id=client.client_id,
            issuer=self._trusted.issuer,
            grant_id=granted.grant_id,
        )
        body = issuing.issue_on_grant(
            exchange,
            client,
            user_id=self._user.id,
            sub=granted.sub,
            grant_id=granted.grant_id,
            scopes=self._scopes,
            audiences=issuing.audiences_for(exchange, self._resources),
        )
        return 200, body, []


def _verified(exchange: Exchange, assertion: str) -> tuple[TrustedIssuer, Claims]:
    """The claims of a good assertion and who made it (RFC 7523 §3); raises `InvalidGrantError`."""
    claims = jose.peek(assertion) or {}
    iss = claims.get("iss")
    trusted = None
    if isinstance(iss, str) and _is_text(iss):
        trusted = trusted_issuers.find(exchange.db, iss)
    if trusted is None:
        raise InvalidGrantError("The issuer of the assertion is not trusted.")
    if not _is_for_us(exchange.issuer, trusted, claims.get("aud")):
        raise InvalidGrantError("The assertion has another audience.")
    if not (assertions.is_current(claims, exchange.now) and assertions.is_jti(claims.get("jti"))):
        raise InvalidGrantError("The assertion needs a jti and an exp of at most an hour ahead.")
    signed = exchange.client_keys.verify_of_issuer(trusted, assertion, exchange.now)
    if signed is None or signed.typ not in (None, "jwt"):
        raise InvalidGrantError("The assertion is not signed by its issuer.")
    return trusted, claims


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= _LONGEST_NAME and "\0" not in value


def _is_for_us(own: str, trusted: TrustedIssuer, aud: object) -> bool:
    """Every audience must be us: an assertion for several could be used by each at the others."""
    ours = {own, f"{own}/token"} | ({trusted.audience} if trusted.audience is not None else set())
    named = aud if isinstance(aud, list) else [aud]
    return bool(named) and all(isinstance(name, str) and name in ours for name in named)


def _subject(exchange: Exchange, trusted: TrustedIssuer, claims: Claims) -> Any:
    """The user that the assertion is about, with `id`.

    Raises `InvalidGrantError`, alike for every reason.
    """
    sub = claims.get("sub")
    user: Any = None
    if isinstance(sub, str) and _is_text(sub):
        if trusted.subject == "email":
            user = credentials.find_by_verified_email(exchange.db, sub)
        elif (user_id := parse_id(sub)) is not None:
            user = users.find(exchange.db, user_id)
    if user is None or user.disabled_at is not None:
        raise InvalidGrantError(_NO_USER)
    return user
