"""/account/activity: what happened around a person, from the audit log."""

from dataclasses import dataclass
from datetime import datetime

from oidc_server.domain import audit_trail, clients
from oidc_server.domain.audit import ActorKind, Outcome
from oidc_server.domain.audit_trail import Entry, Filter
from oidc_server.domain.base import parse_id
from oidc_server.languages import translate
from oidc_server.people import console
from oidc_server.people.console import get_session
from oidc_server.people.mail_facts import browser_name
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_PAGE = 30
_STAFF = (ActorKind.COMMAND_LINE, ActorKind.SERVER)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as the page tells it; its words are in `templates/account/happenings.html`."""

    event: str
    at: datetime
    app: str | None
    """The name of the client; None if none took part, or it is gone."""
    device: str
    address: str
    """Where it was done; both empty if somebody else did it, whose address is their own affair."""
    by_administrator: bool
    is_refusal: bool
    reason: str | None


def show_activity(ctx: Context) -> Response:
    user_id, before = get_session(ctx).user_id, ctx.query.get("before")
    place = before and parse_id(before)
    found = []
    if place or before is None:
        about = Filter(user_id=user_id)
        found = audit_trail.search(ctx.db, about, limit=_PAGE + 1, before=place)
    shown = found[:_PAGE]

    return console.render(
        ctx,
        "account/activity.html",
        happenings=happenings(ctx, user_id, shown),
        is_newest=before is None,
        older=shown[-1].id if len(found) > _PAGE else None,
    )


def happenings(ctx: Context, user_id: str, events: list[Entry]) -> list[Happening]:
    """The events with the names of the apps that took part."""
    apps = {event.client_id: _name(ctx, event.client_id) for event in events if event.client_id}
    return [_happening(ctx, user_id, event, apps.get(event.client_id or "")) for event in events]


def _happening(ctx: Context, user_id: str, event: Entry, app: str | None) -> Happening:
    by_another = event.actor in _STAFF or event.actor_user_id not in (None, user_id)
    return Happening(
        event=event.event,
        at=event.at,
        app=app,
        device="" if by_another else translate(ctx.language, browser_name(event.user_agent)),
        address="" if by_another else event.address,
        by_administrator=by_another and event.actor != ActorKind.SERVER,
        is_refusal=event.outcome == Outcome.FAILURE,
        reason=event.detail.get("reason"),
    )


def _name(ctx: Context, client_id: str) -> str | None:
    client = clients.find(ctx.db, client_id)
    return client.metadata.client_name if client else None
