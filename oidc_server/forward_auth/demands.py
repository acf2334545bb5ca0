"""What the operator demands of requests, written into the configuration of the gateway."""

from dataclasses import dataclass
from typing import Literal

from oidc_server.domain.client_metadata import is_scope
from oidc_server.oauth2.vocabulary import ACR_VALUES
from oidc_server.web.incoming import BadRequestError, Params

Credential = Literal["session", "token"]
_CREDENTIALS: tuple[Credential, ...] = ("session", "token")
_NAMES = frozenset({"accept", "resource", "scope", "role", "acr", "sign_in"})


@dataclass(frozen=True, slots=True)
class Demands:
    """What it takes to be let through."""

    accept: frozenset[str]
    """The credentials that count: the session of a browser, an access token."""
    audience: str
    scope: str
    """All of these, of a token. A session is the person: no scope limits it."""
    roles: frozenset[str]
    """One of these, of the person; none if it is empty."""
    acr: str | None
    redirect: bool
    """Whether browsers are sent to sign in by the answer itself, and not by the gateway."""

    def met_by(self, held: frozenset[str]) -> bool:
        """Whether somebody with these roles has one that will do."""
        return not self.roles or not self.roles.isdisjoint(held)


def read(params: Params, issuer: str) -> Demands:
    """Raises `BadRequestError` for anything unknown: a typing error must not open a door."""
    given = params.single()
    if not given.keys() <= _NAMES:
        raise BadRequestError(
            f"There is no demand of this name. Known are {' '.join(sorted(_NAMES))}."
        )
    accept, acr = given.get("accept"), given.get("acr")
    if accept not in (None, *_CREDENTIALS):
        raise BadRequestError("accept is session or token; without it, both are taken.")
    if acr not in (None, *ACR_VALUES):
        raise BadRequestError(f"acr is one of {' '.join(ACR_VALUES)}.")
    if given.get("sign_in") not in (None, "redirect"):
        raise BadRequestError("sign_in is redirect, or left out.")
    scope = given.get("scope", "")
    if not all(map(is_scope, scope.split())):
        raise BadRequestError("scope is a list of scopes with blanks between.")
    return Demands(
        accept=frozenset(_CREDENTIALS if accept is None else (accept,)),
        audience=given.get("resource", issuer),
        scope=scope,
        roles=frozenset(given.get("role", "").split()),
        acr=acr,
        redirect="sign_in" in given,
    )
