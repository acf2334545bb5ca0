"""/account/profile: what apps can be told of a person (Core §5.1), and what they may change."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from oidc_server.domain import profiles, users
from oidc_server.domain.profiles import ADDRESS_MEMBERS, CLAIMS
from oidc_server.domain.users import User
from oidc_server.people import console, own_account
from oidc_server.people.console import get_session
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_PARTS_OF_THE_WORLD = (
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


def show_profile(ctx: Context) -> Response:
    user = users.get(ctx.db, get_session(ctx).user_id)

    return _page(ctx, user, {claim: getattr(user, claim) for claim in CLAIMS}, {})


def submit_profile(ctx: Context) -> Response:
    """Save the form, or show all that is wrong with it at once."""
    user = users.get(ctx.db, get_session(ctx).user_id)
    values: dict[str, Any] = {claim: ctx.form.text(claim) for claim in CLAIMS}
    values["address"] = {member: ctx.form.text(f"address_{member}") for member in ADDRESS_MEMBERS}
    problems = profiles.problems(values)
    if problems:
        return _page(ctx, user, values, problems, status=422)

    own_account.edit(ctx, user, values)
    return ctx.redirect("account.profile", notice="profile_saved")


def _page(
    ctx: Context,
    user: User,
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    return console.render(
        ctx,
        "account/profile.html",
        status=status,
        values=values,
        address=values["address"] or {},
        email=user.email,
        email_is_verified=user.email_verified_at is not None,
        phone_is_verified=user.phone_number_verified_at is not None,
        zones=_zones(values["zoneinfo"]),
        errors=errors,
    )


def _zones(chosen: str | None) -> list[tuple[str, list[str]]]:
    """The time zones by region; all others are old names of these."""
    found = defaultdict(list)
    for zone in sorted(profiles.zones()):
        part, _, place = zone.partition("/")
        if place and part in _PARTS_OF_THE_WORLD:
            found[part].append(zone)
    other = ["UTC"] if not chosen or chosen in found[chosen.partition("/")[0]] else ["UTC", chosen]
    return [*found.items(), ("UTC", list(dict.fromkeys(other)))]
