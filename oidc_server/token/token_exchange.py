"""Token exchange (RFC 8693): an access token of a person for another one that can do less.

The new token hangs on the grant of the old one, so whatever ends that grant ends both. It never has
more scopes, lives longer, or forgets who acted before. See ADR 0013.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from oidc_server.domain import grants, resources, subjects
from oidc_server.domain.audit import Event
from oidc_server.domain.clients import Client
from oidc_server.domain.grants import Granted
from oidc_server.oauth2.access_tokens import AccessToken
from oidc_server.oauth2.authlib import (
    InvalidRequestError,
    InvalidScopeError,
    TokenGrantBase,
    UnauthorizedClientError,
)
from oidc_server.oauth2.errors import InvalidTargetError, describable
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.resource_protector import state_of
from oidc_server.oauth2.vocabulary import GrantType, Scope
from oidc_server.token import issuing

_PREFIX = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN = f"{_PREFIX}access_token"
_TYPES = (ACCESS_TOKEN, f"{_PREFIX}jwt")
"""Our access tokens are JWTs: both names fit (RFC 8693 §3)."""
_MOST_ACTORS = 4
_OF_THE_SIGN_IN = ("auth_time", "acr", "amr")


@dataclass(frozen=True, slots=True)
class _Subject:
    """The token that is exchanged, and the grant that it hangs on."""

    token: AccessToken
    granted: Granted


class TokenExchangeGrant(TokenGrantBase):
    """Impersonation, or delegation when an `actor_token` comes along (RFC 8693 §1.1).

    Every fault of a token is `invalid_request` (RFC 8693 §2.2.2).
    """

    GRANT_TYPE = GrantType.TOKEN_EXCHANGE.value

    def validate_token_request(self) -> None:
        authenticated = self.authenticate_token_endpoint_client()
        exchange = self.server.exchange
        client = authenticated.client
        if client.is_public or not authenticated.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client is not registered for token exchange.")
        self._issued_type = _requested_type(exchange)
        self._subject = _read_subject(exchange, client)
        self._act = _actors(exchange, client, self._subject.token)
        self._scopes = _narrowed(exchange, client, self._subject.token)
        self._audiences = _targets(exchange, client, self._subject)
        self.request.client = authenticated

    def create_token_response(self) -> tuple[int, dict[str, Any], list[Any]]:
        exchange, client = self.server.exchange, self.request.client.client
        token, granted = self._subject.token, self._subject.granted
        own = granted.client_id == client.client_id
        sub = (
            granted.sub
            if own
            else subjects.pairwise_sub(exchange.db, client, granted.user_id, exchange.now)
            or granted.user_id
        )
        body = issuing.issue_on_grant(
            exchange,
            client,
            user_id=granted.user_id,
            sub=sub,
            grant_id=granted.grant_id,
            scopes=self._scopes,
            audiences=self._audiences,
            lifetime=timedelta(seconds=_remaining(exchange, token)),
            act=self._act,
            **{name: token.claims.get(name) for name in _OF_THE_SIGN_IN},
        )
        self._record(granted)
        return 200, {**body, "issued_token_type": self._issued_type}, []

    def _record(self, granted: Granted) -> None:
        exchange = self.server.exchange
        exchange.record(
            Event.TOKEN_EXCHANGED,
            user_id=granted.user_id,
            client_id=self.request.client.client.client_id,
            subject_client_id=self._subject.token.client_id,
            grant_id=granted.grant_id,
            actor=(self._act or {}).get("sub"),
            audience=" ".join(self._audiences),
        )


def _requested_type(exchange: Exchange) -> str:
    requested = exchange.form.get("requested_token_type", ACCESS_TOKEN)
    if requested not in _TYPES:
        raise InvalidRequestError("Only access tokens are issued for a token.")
    return requested


def _read(exchange: Exchange, name: str) -> AccessToken:
    """An access token of ours that holds, in this parameter; raises `InvalidRequestError`."""
    value = exchange.required(name)
    if exchange.required(f"{name}_type") not in _TYPES:
        raise InvalidRequestError(f"The {name}_type is not that of an access token.")
    token = exchange.tokens.read(value, exchange.now)
    if token is None or not state_of(exchange.db, token).holds:
        raise InvalidRequestError(f"The {name} is not an access token of ours that holds.")
    if token.jkt is not None and token.jkt != exchange.dpop_jkt:
        raise InvalidRequestError(f"The {name} is bound to a key that this request does not prove.")
    return token


def _read_subject(exchange: Exchange, client: Client) -> _Subject:
    token = _read(exchange, "subject_token")
    granted = grants.find(exchange.db, token.grant_id) if token.grant_id is not None else None
    if granted is None or not granted.holds(exchange.now) or _remaining(exchange, token) < 1:
        raise InvalidRequestError("The subject_token is not one of a person, or is at its end.")
    if not _may_exchange(exchange, client, token):
        raise InvalidRequestError("The subject_token is not one that this client may exchange.")
    return _Subject(token, granted)


def _may_exchange(exchange: Exchange, client: Client, token: AccessToken) -> bool:
    """A client has its own tokens, those it was sent as a resource, or the operator's leave."""
    return (
        token.client_id == client.client_id
        or client.metadata.may_exchange
        or resources.serves(exchange.db, client.client_id, token.audiences)
    )


def _remaining(exchange: Exchange, token: AccessToken) -> int:
    """Seconds that a new token may live."""
    left = token.expires_at - exchange.now
    return int(min(left, exchange.lifetimes.access_token_lifetime).total_seconds())


def _actors(exchange: Exchange, client: Client, subject: AccessToken) -> dict[str, Any] | None:
    """`act` of the new token (RFC 8693 §4.1): the actor first, and those before it inside."""
    before: dict[str, Any] | None = subject.claims.get("act")
    if "actor_token" not in exchange.form:
        if "actor_token_type" in exchange.form:
            raise InvalidRequestError("An actor_token_type was sent without actor_token.")
        return before
    actor = _read(exchange, "actor_token")
    if actor.client_id != client.client_id:
        raise InvalidRequestError("The actor_token was issued to another client.")
    if _depth(before) >= _MOST_ACTORS:
        raise InvalidRequestError(f"More than {_MOST_ACTORS} actors would stand in the token.")
    act: dict[str, Any] = {"sub": actor.claims["sub"], "client_id": actor.client_id}
    return act if before is None else {**act, "act": before}


def _depth(act: dict[str, Any] | None) -> int:
    depth = 0
    while act is not None:
        depth, act = depth + 1, act.get("act")
    return depth


def _narrowed(exchange: Exchange, client: Client, subject: AccessToken) -> frozenset[str]:
    """Those asked for, or all, of what both the token and the client have."""
    allowed = client.narrow(subject.scopes) - {Scope.OFFLINE_ACCESS.value}
    asked = frozenset(exchange.form.get("scope", "").split())
    if not asked <= allowed:
        raise InvalidScopeError("The subject_token or the client does not have this scope.")
    return asked or allowed


def _targets(exchange: Exchange, client: Client, subject: _Subject) -> tuple[str, ...]:
    """The audiences asked for, or those of the token (RFC 8693 §2.1).

    We ourselves are one only for the client whom the person allowed what we tell of them. That is
    the client of the grant: what somebody got by an earlier exchange is theirs, the leave is not.
    """
    asked = tuple(dict.fromkeys((*exchange.resources, *exchange.audiences)))
    wanted = asked or subject.token.audiences
    for target in wanted:
        if target == exchange.issuer and subject.granted.client_id == client.client_id:
            continue
        if target == exchange.issuer or resources.find(exchange.db, target) is None:
            raise InvalidTargetError(f"The target {describable(target)} is not one for this.")
    return wanted
