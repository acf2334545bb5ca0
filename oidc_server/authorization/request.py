"""From parameters to a validated `AuthorizationRequest`: ordered checks, one per rule.

First of all: where may an answer go? Before a `Trusted` exists, nothing is ever redirected.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oidc_server.database import Transaction
from oidc_server.domain import clients, resources, subjects
from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.client_metadata import is_scope, matches_redirect_uri
from oidc_server.domain.clients import Client
from oidc_server.domain.signing_keys import KeyRing
from oidc_server.oauth2.authlib import (
    InvalidRequestError,
    InvalidScopeError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)
from oidc_server.oauth2.errors import InvalidTargetError, describable
from oidc_server.oauth2.pkce import CHALLENGE
from oidc_server.oauth2.vocabulary import (
    ID_TOKEN_TYPE,
    Display,
    GrantType,
    Prompt,
    ResponseMode,
    Scope,
)
from oidc_server.web.incoming import Params

_MAX_STATE = 8192
_MAX_NONCE = 1024
_MAX_AGE = 10**9
_LONGEST_HINT = 200
_MAY_REPEAT = frozenset({"resource"})


class UntrustedRequestError(Exception):
    """Nobody vouches for where an answer would go: only a page can tell (RFC 6749 §4.1.2.1)."""

    def __init__(self, problem: str, *, client: Client | None = None, **details: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.client = client
        self.details = details


@dataclass(frozen=True, slots=True)
class Trusted:
    """Where an answer may go. Only `trust` makes one, after client and redirect URI are known good.

    RFC 6749 §4.1.2.1: without it the server "MUST NOT automatically redirect the user-agent"; so an
    error redirect takes a Trusted, and everything found before one exists can only be a page.
    """

    client: Client
    redirect_uri: str
    state: str | None
    response_mode: str


def trust(db: Transaction, params: Params) -> Trusted:
    """Check client and redirect URI; raises `UntrustedRequestError`."""
    repeated = params.repeated()
    for name in ("client_id", "redirect_uri"):
        if name in repeated:
            raise UntrustedRequestError(f"The parameter {name} was sent more than once.")
    client_id, redirect_uri = params.get("client_id"), params.get("redirect_uri")
    if client_id is None:
        raise UntrustedRequestError("The parameter client_id is missing.")
    client = clients.find(db, client_id)
    if client is None:
        raise UntrustedRequestError(
            "No client is registered with this client_id.", client_id=client_id
        )
    if redirect_uri is None:
        raise UntrustedRequestError("The parameter redirect_uri is missing.", client=client)
    if not is_registered(client, redirect_uri):
        raise UntrustedRequestError(
            "The redirect_uri is not registered for this client. It must be equal, character for"
            " character.",
            client=client,
            redirect_uri=redirect_uri,
        )
    state = None if "state" in repeated else params.get("state")
    mode = None if "response_mode" in repeated else params.get("response_mode")
    if state is not None and len(state) > _MAX_STATE:
        raise UntrustedRequestError(f"The state is longer than {_MAX_STATE} characters.")
    return Trusted(
        client,
        redirect_uri,
        state,
        mode if mode in set(ResponseMode) else ResponseMode.QUERY,
    )


def is_registered(client: Client, redirect_uri: str) -> bool:
    return matches_redirect_uri(client.type, client.metadata.redirect_uris, redirect_uri)


@dataclass(frozen=True, slots=True)
class Draft:
    """A request while its checks run. `params` has been seen to repeat nothing it may not."""

    db: Transaction
    trusted: Trusted
    params: Params
    issuer: str
    keys: KeyRing
    now: datetime
    prompts: frozenset[str]
    """Those that this server offers."""

    @property
    def client(self) -> Client:
        return self.trusted.client

    def get(self, name: str) -> str | None:
        return self.params.get(name)


Check = Callable[[Draft], dict[str, Any]]
"""Looks at one thing; returns the fields it settles, or raises an OAuth2Error."""


def validate(
    db: Transaction,
    trusted: Trusted,
    params: Params,
    *,
    issuer: str,
    keys: KeyRing,
    now: datetime,
    prompts: frozenset[str],
) -> AuthorizationRequest:
    """Run every check in order; raises the OAuth2Error of the first that fails."""
    draft = Draft(db, trusted, params, issuer, keys, now, prompts)
    fields: dict[str, Any] = {}
    for check in CHECKS:
        fields.update(check(draft))
    return AuthorizationRequest(
        client_id=trusted.client.client_id,
        redirect_uri=trusted.redirect_uri,
        state=trusted.state,
        created_at=now,
        **fields,
    )


def nothing_repeated(draft: Draft) -> dict[str, Any]:
    """RFC 6749 §3.1: parameters "MUST NOT be included more than once"."""
    for name in draft.params.repeated():
        if name not in _MAY_REPEAT:
            raise InvalidRequestError(f"The parameter {describable(name)} was sent more than once.")
    return {}


def request_object(draft: Draft) -> dict[str, Any]:
    """Request objects are refused, never ignored: state and nonce may stand inside (Core §6)."""
    if draft.get("request") is not None:
        raise RequestNotSupportedError("Request objects are not supported.")
    if draft.get("request_uri") is not None:
        raise RequestURINotSupportedError("The parameter request_uri is not supported.")
    return {}


def response_type(draft: Draft) -> dict[str, Any]:
    asked = draft.get("response_type")
    if asked is None:
        raise InvalidRequestError("The parameter response_type is missing.")
    if asked != "code":
        raise UnsupportedResponseTypeError(
            asked, description="Only the response_type code is supported."
        )
    if not draft.client.allows_grant(GrantType.AUTHORIZATION_CODE):
        raise UnauthorizedClientError("The client is not registered for authorization codes.")
    return {}


def response_mode(draft: Draft) -> dict[str, Any]:
    asked = draft.get("response_mode")
    if asked is not None and asked not in set(ResponseMode):
        raise InvalidRequestError("The response_mode is not supported.")
    return {"response_mode": draft.trusted.response_mode}


def scope(draft: Draft) -> dict[str, Any]:
    """What the client may not have is left out; the token response says what was given."""
    text = draft.get("scope")
    if text is not None and not all(word == "" or is_scope(word) for word in text.split(" ")):
        raise InvalidScopeError("The scope holds characters that are not allowed.")
    client = draft.client
    asked = frozenset((text or "").split())
    scopes = client.narrow(asked) if asked else client.metadata.scopes - {Scope.OFFLINE_ACCESS}
    if not client.allows_grant(GrantType.REFRESH_TOKEN):
        scopes -= {Scope.OFFLINE_ACCESS}
    if asked and not scopes:
        raise InvalidScopeError("The client may have none of these scopes.")
    return {"scopes": scopes}


def code_challenge(draft: Draft) -> dict[str, Any]:
    """PKCE (RFC 7636 §4.3): S256 only; who may go without one: see ADR 0005."""
    challenge, method = draft.get("code_challenge"), draft.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise InvalidRequestError("code_challenge_method was sent without code_challenge.")
        if draft.client.is_public or draft.client.metadata.require_pkce:
            raise InvalidRequestError("The client must send a code_challenge (RFC 7636).")
        return {}
    if method != "S256":
        raise InvalidRequestError("The code_challenge_method must be S256.")
    if not CHALLENGE.fullmatch(challenge):
        raise InvalidRequestError("The code_challenge is not a base64url SHA-256 digest.")
    return {"code_challenge": challenge}


def nonce(draft: Draft) -> dict[str, Any]:
    value = draft.get("nonce")
    if value is not None and len(value) > _MAX_NONCE:
        raise InvalidRequestError(f"The nonce is longer than {_MAX_NONCE} characters.")
    return {"nonce": value}


def prompt(draft: Draft) -> dict[str, Any]:
    """Unknown values are refused, since the client would rely on them (Core §3.1.2.1)."""
    asked = frozenset((draft.get("prompt") or "").split())
    if not asked <= draft.prompts:
        raise InvalidRequestError("The prompt is not supported.")
    if Prompt.NONE in asked and len(asked) > 1:
        raise InvalidRequestError("The prompt none cannot be combined with another.")
    return {"prompt": asked}


def max_age(draft: Draft) -> dict[str, Any]:
    text = draft.get("max_age")
    if text is None:
        return {}
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _MAX_AGE):
        raise InvalidRequestError("The max_age is not a number of seconds.")
    return {"max_age": int(text)}


def resource(draft: Draft) -> dict[str, Any]:
    """The audiences of the access token (RFC 8707 §2); ourselves when none is asked for."""
    asked = draft.params.all("resource")
    for identifier in asked:
        if identifier != draft.issuer and resources.find(draft.db, identifier) is None:
            raise InvalidTargetError(f"The resource {describable(identifier)} is not known.")
    return {"resources": tuple(asked)}


def id_token_hint(draft: Draft) -> dict[str, Any]:
    """Who the request is about: the person of an ID Token we gave to this client, old or new."""
    hint = draft.get("id_token_hint")
    if hint is None:
        return {}
    draft.keys.refresh(draft.db, draft.now)
    verification = draft.keys.hint_verification(draft.now)
    claims = verification.verify(hint, typ=ID_TOKEN_TYPE, issuer=draft.issuer)
    if claims is None or claims.get("aud") != draft.client.client_id:
        raise InvalidRequestError("The id_token_hint is not an ID Token of this client.")
    sub = str(claims["sub"])
    # An unknown sub is nobody's id: the request is about somebody who cannot be signed in here.
    return {"expected_user_id": subjects.find_user(draft.db, draft.client, sub) or sub}


def hints(draft: Draft) -> dict[str, Any]:
    """What may help and is never wrong: unknown values are passed over."""
    display = draft.get("display")
    return {
        "login_hint": (draft.get("login_hint") or "")[:_LONGEST_HINT] or None,
        "acr_values": tuple((draft.get("acr_values") or "").split()),
        "ui_locales": (draft.get("ui_locales") or "")[:_LONGEST_HINT] or None,
        "display": display if display in set(Display) else None,
    }


CHECKS: tuple[Check, ...] = (
    nothing_repeated,
    request_object,
    response_type,
    response_mode,
    scope,
    code_challenge,
    nonce,
    prompt,
    max_age,
    resource,
    id_token_hint,
    hints,
)
