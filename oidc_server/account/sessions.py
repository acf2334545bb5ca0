"""/account/sessions: where a person is signed in, and signing out there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from oidc_server.domain import session_clients, user_sessions
from oidc_server.domain.user_sessions import SessionOfUser
from oidc_server.people import console, device_labels, own_account
from oidc_server.people.console import get_session
from oidc_server.people.device_labels import DeviceLabel, at_a_glance
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its owner is shown it."""

    id: str
    label: DeviceLabel
    address: str
    amr: frozenset[str]
    signed_in_at: datetime
    last_seen_at: datetime
    apps: tuple[str, ...]
    """What the applications are called that it signed in to, as far as that is still known."""


def prepare_labels(ctx: Context) -> Callable[[], Mapping[str, DeviceLabel]]:
    """Ahead of `show_sessions`: what computes the names of the devices."""
    found = user_sessions.list_of_user(ctx.db, get_session(ctx).user_id, ctx.now)
    return device_labels.prepare(session.user_agent for session in found)


def show_sessions(ctx: Context) -> Response:
    here = get_session(ctx)
    found = devices(ctx, here.user_id, ctx.proof)

    return console.render(
        ctx,
        "account/sessions.html",
        this_one=next((device for device in found if device.id == here.id), None),
        others=[device for device in found if device.id != here.id],
    )


def submit_end_session(ctx: Context) -> Response:
    """Sign out one other device. Of a session of somebody else nobody learns that it exists."""
    session_id: str = ctx.incoming.path_params["session_id"]
    if not own_account.end_session(ctx, get_session(ctx).user_id, session_id):
        raise NotFoundError

    return ctx.redirect("account.sessions", notice="device_signed_out")


def submit_end_other_sessions(ctx: Context) -> Response:
    session = get_session(ctx)
    own_account.end_other_sessions(ctx, session.user_id, keep=session.id)

    return ctx.redirect("account.sessions", notice="others_signed_out")


def devices(
    ctx: Context, user_id: str, labels: Mapping[str, DeviceLabel] | None = None
) -> list[Device]:
    """Where a person is signed in, the one used last first; without labels, with simpler names."""
    found = user_sessions.list_of_user(ctx.db, user_id, ctx.now)
    apps = session_clients.names_of_user(ctx.db, user_id)
    return [_device(session, labels or {}, apps.get(session.id, [])) for session in found]


def _device(
    session: SessionOfUser, labels: Mapping[str, DeviceLabel], apps: Iterable[str]
) -> Device:
    return Device(
        id=session.id,
        label=labels.get(session.user_agent) or at_a_glance(session.user_agent),
        address=session.address,
        amr=session.amr,
        signed_in_at=session.auth_time,
        last_seen_at=session.last_seen_at,
        apps=tuple(apps),
    )
