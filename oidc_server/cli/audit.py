"""`oidc-server audit`: what happened, and who did it."""

import difflib
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from oidc_server.cli.output import Json, fail, show_all
from oidc_server.cli.workshop import workshop
from oidc_server.database import Transaction
from oidc_server.domain import audit_formats, audit_trail, user_directory
from oidc_server.domain.audit import ActorKind, Event, Outcome
from oidc_server.domain.audit_formats import Format, legible
from oidc_server.domain.audit_trail import Filter

application = typer.Typer(no_args_is_help=True)
_AT_ONCE = 500

_Outcome = Annotated[Outcome | None, typer.Option(help="Its outcome.")]
_ActorKind = Annotated[ActorKind | None, typer.Option(help="The kind of actor.")]
_By = Annotated[
    str | None,
    typer.Option(metavar="<str>", help="Who did it: username, verified address, or id."),
]
_ByClient = Annotated[str | None, typer.Option(metavar="<str>", help="The client that did it.")]
_User = Annotated[
    str | None,
    typer.Option(metavar="<str>", help="Whom it is about: username, verified address, or id."),
]
_Client = Annotated[str | None, typer.Option(metavar="<str>", help="The client it is about.")]


def _moment(text: str) -> datetime:
    """A day or a time, of UTC unless it names another zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write 2026-01-31, or 2026-01-31T14:00 with or without Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _event(text: str) -> Event:
    """The event of this name: there are too many to tell them all whenever one is mistyped."""
    try:
        return Event(text)
    except ValueError:
        close = " or ".join(difflib.get_close_matches(text, list(Event), n=3))
        hint = f"Did you mean {close}? " if close else ""
        raise ValueError(
            f"there is no event {text}. {hint}All of them: oidc-server audit events"
        ) from None


_Event = Annotated[
    Event | None,
    typer.Option(
        "--event", parser=_event, metavar="<str>", help="The kind of event: see audit events."
    ),
]
_Since = Annotated[
    datetime | None,
    typer.Option(parser=_moment, metavar="<time>", help="From this moment on (UTC)."),
]
_Until = Annotated[
    datetime | None,
    typer.Option(parser=_moment, metavar="<time>", help="Before this moment (UTC)."),
]


@application.command("list")
def list_events(
    *,
    event: _Event = None,
    outcome: _Outcome = None,
    actor: _ActorKind = None,
    by: _By = None,
    by_client: _ByClient = None,
    user: _User = None,
    client: _Client = None,
    since: _Since = None,
    until: _Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to show.")] = 50,
    as_json: Json = False,
) -> None:
    """List events, newest first."""
    with workshop("read") as tools:
        wanted = Filter(
            event=event,
            outcome=outcome,
            actor=actor,
            actor_user_id=_id_of(tools.db, by, as_json=as_json),
            actor_client_id=by_client,
            user_id=_id_of(tools.db, user, as_json=as_json),
            client_id=client,
            since=since,
            until=until,
        )
        found = audit_trail.search(tools.db, wanted, limit=limit)
    rows = [audit_formats.facts(entry) for entry in found]
    if not as_json:
        shown = ("at", "event", "outcome", "actor", "user_id", "client_id", "address", "request_id")
        rows = [{name: legible(str(row[name] or "-")) for name in shown} for row in rows]
    show_all(rows, as_json=as_json)


@application.command("events")
def events(*, as_json: Json = False) -> None:
    """List the names of all events that there can be."""
    show_all([{"event": event.value} for event in Event], as_json=as_json)


@application.command("export")
def export(
    *,
    form: Annotated[Format, typer.Option("--format", help="Kind of file.")] = Format.JSONL,
    event: _Event = None,
    outcome: _Outcome = None,
    since: _Since = None,
    until: _Until = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
) -> None:
    """Write events to standard output, newest first."""
    form = Format.JSONL if as_json else form
    out = sys.stdout.buffer
    with workshop() as tools:
        asked = {"event": event, "outcome": outcome, "since": since, "until": until}
        told = {name: str(value) for name, value in asked.items() if value is not None}
        tools.record(Event.AUDIT_EXPORTED, asked={"format": form.value, **told})
    with workshop("read") as tools:
        end = until or tools.now + timedelta(microseconds=1)
        wanted, last = Filter(event=event, outcome=outcome, since=since, until=end), None
        out.write(audit_formats.head(form))
        while page := audit_trail.search(tools.db, wanted, limit=_AT_ONCE, before=last):
            out.write(audit_formats.lines(form, page))
            last = page[-1].id
    out.flush()


def _id_of(db: Transaction, named: str | None, *, as_json: bool) -> str | None:
    if named is None:
        return None
    user_id = user_directory.id_of(db, named)
    if user_id is None:
        fail(f"There is no account {named}.", as_json=as_json)
    return user_id
