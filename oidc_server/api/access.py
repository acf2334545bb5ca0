"""Who may call an operation of the API, and about whom: the rules, and the guard that asks.

A scope alone never lets a person act on others, and a role alone lets them do nothing: it takes a
scope that the token has *and* that a role of theirs gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from oidc_server.domain import roles
from oidc_server.domain.base import parse_id
from oidc_server.domain.roles import Held
from oidc_server.oauth2.access_tokens import AccessToken
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.errors import (
    InsufficientScopeError,
    InsufficientUserAuthenticationError,
)
from oidc_server.oauth2.resource_protector import presented_token
from oidc_server.oauth2.vocabulary import API_SCOPES, TWO_FACTOR_ACR, ApiScope
from oidc_server.people import second_factors
from oidc_server.web.context import Context
from oidc_server.web.errors import InvalidFieldsError, Problem, ProblemError, as_problem, types
from oidc_server.web.protocol import count_holder, protect, with_challenge
from oidc_server.web.responses import Response


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call. Made by the functions below, each of which says what it means."""

    scope: str | None
    """What the token must have; None: no token is asked for."""
    for_oneself: bool = False
    """A person may, about themselves."""
    for_others: bool = False
    """Services may, and people with a role that gives the scope."""
    names_user: bool = False
    """It is about a user, whom `user_id` in body or query names."""


EVERYBODY = Rule(None)
"""No token is needed. The operation itself has to check what it needs."""


def oneself(scope: str) -> Rule:
    """People, about themselves."""
    return Rule(scope, for_oneself=True)


def oneself_or_others(scope: str) -> Rule:
    """People about themselves; services and administrators about the user in `user_id`."""
    return Rule(scope, for_oneself=True, for_others=True, names_user=True)


def others(scope: str) -> Rule:
    """Services and administrators about the user in `user_id`; nobody about themselves."""
    return Rule(scope, for_others=True, names_user=True)


def administration(scope: str) -> Rule:
    """Services and administrators, about the server and whoever the address names."""
    return Rule(scope, for_others=True)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a client, for itself or for a person."""

    token: AccessToken
    user_id: str | None
    """The person; None if the client acts for itself."""
    sub: str | None
    """The person as the client knows them."""
    held: Held | None = None
    """The roles of the person, where a role is asked for."""

    @property
    def client_id(self) -> str:
        return self.token.client_id


def authenticate(ctx: Context, rule: Rule) -> Caller | None:
    """The caller, if the token is valid and has the scope; None where no token is needed.

    From here on the audit log names the caller as the actor.

    Raises `OAuth2Error`, or `ProblemError` for a caller that may not do this to anybody.
    """
    if rule.scope is None:
        return None
    token, state = protect(ctx, scope=rule.scope)
    caller = Caller(token, state.user_id, state.sub)
    ctx.origin = ctx.origin.of(client_id=caller.client_id, user_id=caller.user_id)
    count_holder(ctx, token, state)
    if not rule.for_others and caller.user_id is None:
        raise ProblemError(types.NOT_ALLOWED, "This is for people, about themselves.")
    if not rule.for_oneself:
        return replace(caller, held=_require_role(ctx, caller, rule.scope))
    return caller


def promising_token(ctx: Context, scope: str) -> AccessToken | None:
    """The token of the request if it is for us and has the scope; None if it will be refused.

    For expensive work ahead of the handler, such as hashing. Revocation and the DPoP proof are
    checked later, by `authenticate`.
    """
    runtime = ctx.runtime
    try:
        presented = presented_token(ctx.incoming.headers("authorization"))
    except OAuth2Error:
        return None
    runtime.keys.refresh(ctx.db, ctx.now)
    token = runtime.tokens.read(presented.value, ctx.now)
    is_ours = token is not None and runtime.issuer in token.audiences and scope in token.scopes
    return token if is_ours else None


def subject_of(ctx: Context, caller: Caller | None, rule: Rule, named: str | None) -> str | None:
    """The id of the user that a call is about, if it is about one.

    Raises `ProblemError` if the caller may not act on them, and `OAuth2Error` if the sign-in of the
    token is too weak. Callers who may not act on others do not learn whether the user exists.
    """
    if caller is None:
        return None
    if not rule.names_user:
        return caller.user_id if rule.for_oneself else None
    if caller.user_id is None and named is None:
        raise InvalidFieldsError((["user_id"], "A service has to say about whom."))
    oneself = named is None or named == caller.sub
    if oneself and rule.for_oneself:
        return caller.user_id
    if not oneself and rule.for_oneself:
        _require_role(ctx, caller, rule.scope)
    user_id = caller.user_id if oneself else parse_id(named or "")
    if user_id is None:
        raise ProblemError(types.NOT_FOUND, "There is no such user: user_id is an id, not a name.")
    if user_id == caller.user_id and not rule.for_oneself:
        raise ProblemError(types.NOT_ALLOWED, "Nobody may do this for themselves.")
    return user_id


def may_touch(caller: Caller, other: Held) -> None:
    """Refuse to act on a person, or on a role, with more permissions than the caller has.

    A service may do what its scopes say. Raises `ProblemError`.
    """
    if caller.held is not None and not caller.held.cover(other):
        raise ProblemError(types.NOT_ALLOWED, "Only somebody who may at least as much may do that.")


def may_open(caller: Caller, other: Held) -> None:
    """Refuse a service that would get into an account with more permissions at our API than it has.

    Whoever sets a password or an address, or removes a second factor, can sign in as that person
    afterwards. A service that may assign roles could get the same permissions anyway, and is
    allowed. People are checked by `may_touch`. Raises `ProblemError`.
    """
    scopes = caller.token.scopes
    if caller.held is not None or ApiScope.ROLES_WRITE in scopes:
        return
    if other.is_administrator or other.scopes & API_SCOPES - scopes:
        raise ProblemError(
            types.NOT_ALLOWED,
            "The roles of this person let them do more than this token: it takes the scopes that"
            f" they give, or {ApiScope.ROLES_WRITE}.",
        )


def _require_role(ctx: Context, caller: Caller, scope: str | None) -> Held | None:
    if caller.user_id is None or scope is None:
        return None
    does = ctx.incoming.method not in ("GET", "HEAD")
    held = (roles.hold if does else roles.held_by)(ctx.db, caller.user_id)
    if not held.give(scope):
        raise ProblemError(
            types.NOT_ALLOWED, f"You may use {scope} for yourself at most, not for others."
        )
    if second_factors.are_owed_for(ctx, caller.token.acr, held):
        raise InsufficientUserAuthenticationError(
            "Whoever acts on others here has a second factor: sign in with it.",
            acr_values=TWO_FACTOR_ACR,
        )
    return held


def refused(ctx: Context, error: OAuth2Error) -> Response:
    """What is wrong with a token, as problem details with the challenge (RFC 6750 §3)."""
    status = int(error.status_code)
    kind = types.type_of(status)
    members: Mapping[str, object] = {}
    if isinstance(error, InsufficientScopeError):
        kind, members = types.INSUFFICIENT_SCOPE, {"scope": error.scope}
    if isinstance(error, InsufficientUserAuthenticationError):
        members = error.wanted
    detail = error.get_error_description() or kind.explanation
    told = Problem(
        status, error.error, kind.title, detail, kind.what_to_do, type=kind, members=members
    )
    return with_challenge(ctx, error, as_problem(ctx, told))
