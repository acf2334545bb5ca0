"""The proof that it is oneself, for calls: `people/reauthentication.py` behind an access token."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from oidc_server.api.access import promising_token, refused
from oidc_server.api.models import sent_members
from oidc_server.api.operations import Call
from oidc_server.domain import grants, users
from oidc_server.domain.grants import Granted
from oidc_server.oauth2.errors import InsufficientUserAuthenticationError
from oidc_server.oauth2.resource_protector import state_of
from oidc_server.oauth2.vocabulary import TWO_FACTOR_ACR
from oidc_server.people import new_password, reauthentication, second_factors
from oidc_server.people.new_password import NewPassword
from oidc_server.people.reauthentication import Begun, Reauthentication
from oidc_server.web.context import Context
from oidc_server.web.endpoint import Before
from oidc_server.web.errors import types
from oidc_server.web.responses import Response

_ANYTHING_ELSE = "It is wrong."
_STEP_UP = {
    "sign_in_too_old": InsufficientUserAuthenticationError(
        "The sign-in is too old for this: sign in again, and use the new token.",
        max_age=int(reauthentication.FRESH_FOR.total_seconds()),
    ),
    "second_step_missing": InsufficientUserAuthenticationError(
        "This needs the second step: sign in again with it, and use the new token.",
        max_age=int(second_factors.FRESH_FOR.total_seconds()),
        acr_values=TWO_FACTOR_ACR,
    ),
}
"""What a client has to ask the person for, to have it (RFC 9470 §3)."""
_WORDS = {"password_missing": "It is needed.", "password_wrong": _ANYTHING_ELSE}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found out ahead of the handler; nothing, for a call that is refused anyway."""

    proof: Reauthentication | None = None
    chosen: NewPassword = field(default_factory=NewPassword)


def proven(scope: str) -> Before:
    """Ahead of an operation that needs `scope`: count the guess, and compute what is dear."""

    def prepare(ctx: Context) -> Prepared | Callable[[], Prepared]:
        body, granted = sent_members(ctx), _grant(ctx, scope)
        if granted is None:
            return Prepared()
        begun = _begin(ctx, granted, body)
        if isinstance(begun, Reauthentication):
            return Prepared(begun)
        return lambda: Prepared(begun())

    return prepare


def proven_with_new_password(scope: str) -> Before:
    """The same, and judge and hash the member `password`.

    Both are done outside any transaction. A new password that cannot be taken costs a guess, too:
    whoever holds the token alone shall not try passwords for nothing.
    """

    def prepare(ctx: Context) -> Any:
        body, granted = sent_members(ctx), _grant(ctx, scope)
        if granted is None:
            return Prepared()
        begun, user = _begin(ctx, granted, body), users.get(ctx.db, granted.user_id)
        password = body.get("password")
        if not isinstance(password, str):
            return Prepared(begun if isinstance(begun, Reauthentication) else None)

        def both(chosen: NewPassword) -> Prepared:
            proof = begun if isinstance(begun, Reauthentication) else begun()
            return Prepared(proof, chosen)

        return new_password.choose(ctx, password, (user.username, user.email, user.name), both)

    return prepare


def refusal(call: Call) -> Response | None:
    """Why the caller did not prove who they are, as an answer to return; None if they did."""
    prepared: Prepared = call.ctx.proof
    proof = prepared.proof
    if proof is None or reauthentication.settle(call.ctx, proof):
        return None if proof is not None else wrong_field(call, "current_password", _ANYTHING_ELSE)
    if proof.refusal == "throttled":
        answer = call.problem(types.TOO_MANY_REQUESTS, "Too many passwords in a row were wrong.")
        return answer.with_header("retry-after", str(proof.retry_after))
    if proof.refusal in _STEP_UP:
        return refused(call.ctx, _STEP_UP[proof.refusal])
    return wrong_field(call, "current_password", _WORDS.get(proof.refusal or "", _ANYTHING_ELSE))


def grant_of(call: Call) -> Granted:
    """The grant behind the token of a person."""
    found = grants.find(call.ctx.db, call.caller.token.grant_id or "")
    assert found is not None, "the token holds, so its grant does"  # noqa: S101
    return found


def wrong_field(call: Call, name: str, message: str) -> Response:
    """A field that cannot be taken, returned so that what was counted stays."""
    detail = "Some fields cannot be taken; errors says which, and why."
    errors = [{"field": name, "message": message}]
    return call.problem(types.INVALID_FIELDS, detail, errors=errors)


def _begin(ctx: Context, granted: Granted, body: dict[str, object]) -> Begun:
    """Who is asked for a second factor shows it first: no password is tried before, nor told of."""
    if second_factors.must_step_up(ctx, granted):
        return Reauthentication(granted.user_id, "second_step_missing")
    current = body.get("current_password")
    password = current if isinstance(current, str) else None
    return reauthentication.begin(ctx, granted.user_id, password, granted.auth_time)


def _grant(ctx: Context, scope: str) -> Granted | None:
    """That of a token which could be let in: nobody else has a guess counted, or a hash made.

    The handler asks everything else.
    """
    token = promising_token(ctx, scope)
    if token is None or token.grant_id is None:
        return None
    return grants.find(ctx.db, token.grant_id) if state_of(ctx.db, token).holds else None
