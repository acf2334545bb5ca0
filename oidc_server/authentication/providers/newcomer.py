"""/login/providers/new/{sign_in_id}: somebody signed in elsewhere whom nobody here knows.

They make an account, or sign in to the one they have and connect the two. A common
address connects nothing by itself: else whoever makes a provider claim it would own the account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oidc_server.authentication import sign_up
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.authentication.providers import callback
from oidc_server.domain import (
    credentials,
    identifiers,
    identity_providers,
    upstream_sign_ins,
    users,
)
from oidc_server.domain.authorization_requests import RequestGoneError
from oidc_server.domain.identifiers import InvalidEmailError, InvalidFieldError
from oidc_server.domain.identity_providers import IdentityProvider
from oidc_server.domain.invitations import SpentInvitationError
from oidc_server.domain.upstream_sign_ins import UpstreamSignIn
from oidc_server.domain.users import EmailTakenError, UsernameTakenError
from oidc_server.people import linked_identities
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


@dataclass(frozen=True)
class Newcomer:
    """A sign-in that waits for a decision, and what it was for."""

    sign_in: UpstreamSignIn
    provider: IdentityProvider
    came_from: Interrupted

    @property
    def told(self) -> Mapping[str, Any]:
        return self.sign_in.told or {}

    @property
    def proven_email(self) -> str | None:
        """The address, if the operator trusts this provider to have verified it."""
        email = self.told.get("email")
        if not (self.provider.trusts_email and self.told.get("email_verified") is True and email):
            return None
        try:
            return identifiers.normal_email(email)
        except InvalidEmailError:
            return None


def show_newcomer(ctx: Context) -> Response:
    newcomer = waiting(ctx)
    values = {
        "username": _proposed_username(newcomer.told),
        "email": newcomer.told.get("email", ""),
        "name": newcomer.told.get("name", ""),
    }
    return _page(ctx, newcomer, values)


def submit_newcomer(ctx: Context) -> Response:
    """Make an account that the provider opens; it has no password."""
    newcomer = waiting(ctx)
    if not _may_be_new(ctx, newcomer):
        return _page(ctx, newcomer, {}, status=403)
    values = sign_up.fields(ctx)
    proven = newcomer.proven_email if sign_up.invited_email(ctx) is None else None
    if proven is not None:
        values["email"] = proven
    errors = users.problems(**values)
    if errors:
        return _page(ctx, newcomer, values, errors, status=422)

    try:
        with ctx.db.savepoint():  # the person may choose another name
            user_id = _create(ctx, newcomer, values, email_proven=proven is not None)
    except SpentInvitationError:
        return sign_up.closed(ctx)
    except (UsernameTakenError, EmailTakenError) as error:
        field = "email" if isinstance(error, EmailTakenError) else "username"
        return _page(ctx, newcomer, values, {field: "taken"}, status=409)
    return callback.enter(ctx, newcomer.came_from, newcomer.provider, user_id)


def waiting(ctx: Context) -> Newcomer:
    """The sign-in of the address.

    Raises `RequestGoneError` when it is over, or not of this browser.
    """
    sign_in_id = ctx.incoming.path_params["sign_in_id"]
    sign_in = upstream_sign_ins.find_proven(ctx.db, sign_in_id, ctx.browser, ctx.now)
    if sign_in is None:
        raise RequestGoneError
    provider = identity_providers.find_by_id(ctx.db, sign_in.provider_id)
    if provider is None or provider.disabled_at is not None:
        raise RequestGoneError
    if sign_in.request_id is not None:
        return Newcomer(sign_in, provider, interrupted(ctx, sign_in.request_id))
    return Newcomer(sign_in, provider, Interrupted(return_to=sign_in.return_to))


def _create(
    ctx: Context, newcomer: Newcomer, values: Mapping[str, str], *, email_proven: bool
) -> str:
    """The account and its link, or neither; returns its id. Raises `sign_up.REFUSALS`."""
    if not upstream_sign_ins.finish(ctx.db, newcomer.sign_in, ctx.browser, ctx.now):
        raise RequestGoneError
    user = sign_up.create(ctx, values, password_hash=None, email_proven=email_proven)
    linked_identities.link(ctx, user.id, newcomer.provider, newcomer.told, is_new=True)
    return user.id


def _may_be_new(ctx: Context, newcomer: Newcomer) -> bool:
    return newcomer.provider.sign_up and sign_up.is_open(ctx)


def _proposed_username(told: Mapping[str, Any]) -> str:
    """A name that could be taken here, of what they are called there; else nothing."""
    candidates = (told.get("preferred_username", ""), told.get("email", ""))
    for candidate in candidates:
        name: str = candidate.partition("@")[0]
        try:
            identifiers.canonical_username(name)
        except InvalidFieldError:
            continue
        return name
    return ""


def _page(
    ctx: Context,
    newcomer: Newcomer,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    proven = newcomer.proven_email
    owner = credentials.find_by_verified_email(ctx.db, proven) if proven else None
    return newcomer.came_from.render(
        ctx,
        "authentication/providers/newcomer.html",
        status=status,
        provider=newcomer.provider,
        sign_in_id=newcomer.sign_in.id,
        account=linked_identities.account_of(newcomer.told),
        values=values,
        errors=errors or {},
        may_be_new=_may_be_new(ctx, newcomer),
        invited_email=sign_up.invited_email(ctx),
        proven_email=proven,
        is_known=owner is not None,
        link=sign_up.link_of(ctx),
    )
