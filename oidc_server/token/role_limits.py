"""What the roles of a person do to a token: which it names, and which scopes they hold back.

A scope that is of use to nobody but those with a role is left out of the tokens of the others
(ADR 0015). So a token says what its holder may do, and not what its client asked for.
"""

from collections.abc import Sequence

from oidc_server.domain import resources, roles
from oidc_server.domain.resources import Resource
from oidc_server.domain.roles import Held
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.vocabulary import ADMINISTRATIVE_SCOPES, API_SCOPES


def limited(
    exchange: Exchange, user_id: str, scopes: frozenset[str], audiences: Sequence[str]
) -> tuple[frozenset[str], list[str] | None]:
    """The scopes that a person's token gets for these audiences, and its `roles` (RFC 9068 §2.2.3).

    A token for our API that asks nothing of it says none and costs no read.
    """
    for_us = exchange.issuer in audiences and not scopes.isdisjoint(API_SCOPES)
    telling = [
        resource
        for audience in audiences
        if audience != exchange.issuer
        and (resource := resources.find(exchange.db, audience)) is not None
        and resource.wants_roles
    ]
    if not for_us and not telling:
        return scopes, None
    held = roles.held_by(exchange.db, user_id)
    return scopes - _held_back(exchange, held, telling), sorted(held.names)


def _held_back(exchange: Exchange, held: Held, telling: Sequence[Resource]) -> frozenset[str]:
    """The scopes that it takes a role to have, and that none of these roles gives.

    Those of a resource are the ones that some role names; the others are everybody's.
    """
    guarded = ADMINISTRATIVE_SCOPES
    if telling:
        of_resources = frozenset().union(*(resource.scopes for resource in telling))
        guarded |= of_resources & roles.scopes_of_all(exchange.db)
    return frozenset(scope for scope in guarded if not held.give(scope))
