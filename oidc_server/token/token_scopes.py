"""Which of the scopes that were granted an access token gets, and the roles that it names.

Its audiences understand some scopes, and need not know of others (RFC 8707 §2.2). And a scope that
is of use to nobody but those with a role is left out of the tokens of the others (ADR 0015). So a
token says what its holder may do, and not what its client asked for.
"""

from collections.abc import Mapping, Sequence

from oidc_server.domain import resources, roles
from oidc_server.domain.client_metadata import STANDARD_SCOPES
from oidc_server.domain.resources import Resource
from oidc_server.domain.roles import Held
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.requested import known_scopes
from oidc_server.oauth2.vocabulary import ADMINISTRATIVE_SCOPES, API_SCOPES


def of_person(
    exchange: Exchange, user_id: str, scopes: frozenset[str], audiences: Sequence[str]
) -> tuple[frozenset[str], list[str] | None]:
    """The scopes that a person's token gets for these audiences, and its `roles` (RFC 9068 §2.2.3).

    A token for our API that asks nothing of it says none and costs no read.
    """
    known = {
        audience: None if audience == exchange.issuer else resources.find(exchange.db, audience)
        for audience in audiences
    }
    scopes = understood(exchange, scopes, known)
    for_us = exchange.issuer in known and not scopes.isdisjoint(API_SCOPES)
    telling = [resource for resource in known.values() if resource and resource.wants_roles]
    if not for_us and not telling:
        return scopes, None
    held = roles.held_by(exchange.db, user_id)
    return scopes - _held_back(exchange, held, telling), sorted(held.names)


def understood(
    exchange: Exchange, scopes: frozenset[str], known: Mapping[str, Resource | None]
) -> frozenset[str]:
    """Without the scopes of others than those that the token is for (`requested.known_resources`).

    Else any of them could use it up to get one for another by exchange. A token for us keeps all:
    without a `resource` a client gets no other.
    """
    if exchange.issuer in known:
        return scopes
    of_these = (resource.scopes for resource in known.values() if resource)
    foreign = scopes.difference(STANDARD_SCOPES, *of_these)
    return scopes - (foreign & known_scopes(exchange.db)) if foreign else scopes


def _held_back(exchange: Exchange, held: Held, telling: Sequence[Resource]) -> frozenset[str]:
    """The scopes that it takes a role to have, and that none of these roles gives.

    Those of a resource are the ones that some role names; the others are everybody's.
    """
    guarded = ADMINISTRATIVE_SCOPES
    if telling:
        of_resources = frozenset().union(*(resource.scopes for resource in telling))
        guarded |= of_resources & roles.scopes_of_all(exchange.db)
    return frozenset(scope for scope in guarded if not held.give(scope))
