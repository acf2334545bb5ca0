"""The providers that a page offers, and what it says when one of them did not work out."""

from dataclasses import dataclass
from typing import Literal

from oidc_server.domain import identity_providers
from oidc_server.web import cookies
from oidc_server.web.context import Context


@dataclass(frozen=True, slots=True)
class Offer:
    """A button: `was_used` in this browser the last time somebody signed in with a provider."""

    name: str
    label: str
    was_used: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why somebody is back on the login page: at which provider, and what to tell of it.

    `away`: it does not answer. `denied`: they, or it, said no. `over`: there is no such sign-in any
    more, or not in this browser. `not_fresh`: it did not ask them again. `failed`: its answer
    cannot be believed. `shut`: the account is closed.
    """

    label: str
    kind: Literal["away", "denied", "over", "not_fresh", "failed", "shut"]


def offers(ctx: Context, *, to_newcomers: bool = False) -> list[Offer]:
    """Every provider that people may use now, or may also make an account with."""
    last = ctx.runtime.cookies.read(ctx.incoming, cookies.PROVIDER)
    found = identity_providers.list_providers(ctx.db, enabled_only=True)
    ctx.runtime.upstreams.keep({provider.id for provider in found})
    return [
        Offer(provider.name, provider.label, provider.name == last)
        for provider in found
        if provider.sign_up or not to_newcomers
    ]
