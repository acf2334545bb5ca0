"""Ordered checks, one per rule: what the parameters of an authorization request may say."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from oidc_server.authorization.request.claims_parameter import ClaimsRequest, read_claims
from oidc_server.authorization.request.trusted import Trusted
from oidc_server.domain import subjects
from oidc_server.domain.clients import Client
from oidc_server.domain.resources import Resource
from oidc_server.oauth2.authlib import (
    InvalidRequestError,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)
from oidc_server.oauth2.errors import describable
from oidc_server.oauth2.id_token_hints import read_hint
from oidc_server.oauth2.requested import known_resources, scopes_for
from oidc_server.oauth2.vocabulary import (
    Display,
    GrantType,
    Prompt,
    ResponseMode,
    prompts,
)
from oidc_server.security import base64url
from oidc_server.web.context import Context
from oidc_server.web.incoming import Params

_MAX_NONCE = 1024
_MAX_AGE = 10**9
_LONGEST_HINT = 200
_MOST_ACR_VALUES = 20
_MAY_REPEAT = frozenset({"resource"})


@dataclass(frozen=True)
class Draft:
    """A request while its checks run. `params` has been seen to repeat nothing it may not."""

    ctx: Context
    trusted: Trusted
    params: Params

    @property
    def client(self) -> Client:
        return self.trusted.client

    def get(self, name: str) -> str | None:
        return self.params.get(name)

    @cached_property
    def claims(self) -> ClaimsRequest | None:
        text = self.get("claims")
        return None if text is None else read_claims(text, self.client)

    @cached_property
    def resources(self) -> dict[str, Resource | None]:
        ctx, asked = self.ctx, self.params.all("resource")
        return known_resources(ctx.db, ctx.runtime.issuer, asked)


Check = Callable[[Draft], dict[str, Any]]
"""Looks at one thing; returns the fields it settles, or raises an OAuth2Error."""


def nothing_repeated(draft: Draft) -> dict[str, Any]:
    refuse_repeated(draft.params)
    return {}


def refuse_repeated(params: Params) -> None:
    """RFC 6749 §3.1: parameters "MUST NOT be included more than once"."""
    for name in params.repeated():
        if name not in _MAY_REPEAT:
            raise InvalidRequestError(f"The parameter {describable(name)} was sent more than once.")


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
    return {"scopes": scopes_for(draft.client, draft.get("scope"), draft.resources)}


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
    if not base64url.SHA256.fullmatch(challenge):
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
    if not asked <= prompts(sign_up_open=draft.ctx.runtime.settings.sign_up == "open"):
        raise InvalidRequestError("The prompt is not supported.")
    if Prompt.NONE in asked and len(asked) > 1:
        raise InvalidRequestError("The prompt none cannot be combined with another.")
    return {"prompt": asked}


def max_age(draft: Draft) -> dict[str, Any]:
    text = draft.get("max_age")
    if text is None:
        return {"max_age": draft.client.metadata.default_max_age}
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _MAX_AGE):
        raise InvalidRequestError("The max_age is not a number of seconds.")
    return {"max_age": int(text)}


def resource(draft: Draft) -> dict[str, Any]:
    """The audiences of the access token (RFC 8707 §2); ourselves when none is asked for."""
    return {"resources": tuple(draft.resources)}


def dpop_jkt(draft: Draft) -> dict[str, Any]:
    """The thumbprint of the key that the code is bound to (RFC 9449 §10)."""
    thumbprint = draft.get("dpop_jkt")
    if thumbprint is not None and not base64url.SHA256.fullmatch(thumbprint):
        raise InvalidRequestError("The dpop_jkt is not a base64url SHA-256 thumbprint.")
    return {"dpop_jkt": thumbprint}


def claims(draft: Draft) -> dict[str, Any]:
    return {"claims": draft.claims}


def expected_user(draft: Draft) -> dict[str, Any]:
    """Who the request is about, if it says so: by an ID Token, or by a `sub` (Core §5.5.1)."""
    named = _claimed_subs(draft)
    if (hinted := _hinted_sub(draft)) is not None:
        named.add(hinted)
    if len(named) > 1:
        raise InvalidRequestError("The request is about more than one person.")
    if not named:
        return {}
    # Not the sub itself where it is nobody's: a pairwise client may have guessed the id of a user.
    user_id = subjects.find_user(draft.ctx.db, draft.client, named.pop())
    return {"expected_user_id": user_id or subjects.NOBODY}


def _hinted_sub(draft: Draft) -> str | None:
    """The `sub` of an ID Token that we gave to this client, old or new."""
    hint = draft.get("id_token_hint")
    if hint is None:
        return None
    ctx = draft.ctx
    token = read_hint(ctx.db, ctx.runtime.keys, hint, issuer=ctx.runtime.issuer, now=ctx.now)
    if token is None or token["aud"] != draft.client.client_id:
        raise InvalidRequestError("The id_token_hint is not an ID Token of this client.")
    return str(token["sub"])


def _claimed_subs(draft: Draft) -> set[str]:
    wishes = [claims.get("sub") or {} for claims in (draft.claims or {}).values()]
    return {str(wish["value"]) for wish in wishes if "value" in wish}


def hints(draft: Draft) -> dict[str, Any]:
    """What may help and is never wrong: unknown values are passed over."""
    display = draft.get("display")
    return {
        "login_hint": (draft.get("login_hint") or "")[:_LONGEST_HINT] or None,
        "acr_values": _acr_values(draft) or draft.client.metadata.default_acr_values,
        "ui_locales": (draft.get("ui_locales") or "")[:_LONGEST_HINT] or None,
        "display": display if display in set(Display) else None,
    }


def _acr_values(draft: Draft) -> tuple[str, ...]:
    """The first few: each request is stored, and anybody can send one."""
    asked = dict.fromkeys((draft.get("acr_values") or "").split())
    return tuple(acr for acr in asked if len(acr) <= _LONGEST_HINT)[:_MOST_ACR_VALUES]


CHECKS: tuple[Check, ...] = (
    nothing_repeated,
    response_type,
    response_mode,
    resource,
    scope,
    code_challenge,
    nonce,
    prompt,
    max_age,
    dpop_jkt,
    claims,
    expected_user,
    hints,
)
