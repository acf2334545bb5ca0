"""The audit log: events by whom, about whom, of a kind, with an outcome, in a stretch of time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from oidc_server.api.access import administration
from oidc_server.api.lists import PageQuery, page_of, read_id_cursor
from oidc_server.api.models import Answer, Query, UserId
from oidc_server.api.operations import Call, Operation
from oidc_server.domain import audit, audit_formats, audit_trail
from oidc_server.domain.audit import ActorKind, Event, Outcome
from oidc_server.domain.audit_formats import Format
from oidc_server.domain.audit_trail import Entry, Filter
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.context import Context
from oidc_server.web.streamed import Streamed

_AT_ONCE = 500
"""Events that an export reads and holds at a time."""
_LONGEST_EXPORT = timedelta(minutes=10)
_MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.JSONL: "application/jsonl",
}

_ClientId = Annotated[str, Field(min_length=1, max_length=100)]
_Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(9000, 1, 1, tzinfo=UTC)),
]


class AuditFilter(Query):
    """Which events; what is left out does not matter."""

    event: Event | None = None
    outcome: Outcome | None = None
    actor: ActorKind | None = Field(default=None, description="What somebody is who did it.")
    actor_user_id: UserId | None = Field(default=None, description="Who did it.")
    actor_client_id: _ClientId | None = Field(
        default=None, description="The client that did it, or through which somebody did."
    )
    user_id: UserId | None = Field(default=None, description="The user whom it is about.")
    client_id: _ClientId | None = Field(default=None, description="The client that it is about.")
    since: _Moment | None = None
    until: _Moment | None = Field(default=None, description="Up to this moment, without it.")

    def to_filter(self) -> Filter:
        return Filter(**{name: getattr(self, name) for name in AuditFilter.model_fields})


class AuditPageQuery(PageQuery, AuditFilter):
    """Which events, and which page of them."""


class AuditExportQuery(AuditFilter):
    """Which events, and how they are written down."""

    format: Format = Format.JSONL


class ActorAnswer(Answer):
    """Who did it: a person (through a client, if by the API), a client, or none of them."""

    kind: ActorKind
    user_id: str | None
    client_id: str | None


class AuditEventAnswer(Answer):
    """One event. `before` and `after` hold what was changed."""

    id: str
    at: datetime
    event: str
    outcome: Outcome
    actor: ActorAnswer
    user_id: str | None
    client_id: str | None
    request_id: str
    address: str
    user_agent: str
    detail: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(Answer):
    """A page of events, newest first."""

    events: list[AuditEventAnswer]
    next_cursor: str | None


def list_events(call: Call) -> AuditPage:
    """Newest first."""
    query = call.query
    before = read_id_cursor(query.cursor)

    found = audit_trail.search(call.ctx.db, query.to_filter(), limit=query.limit + 1, before=before)

    page, cursor = page_of(found, query.limit, lambda entry: (entry.id,))
    return AuditPage(events=[_answer(entry) for entry in page], next_cursor=cursor)


def export_events(call: Call) -> Streamed:
    """All of them in one file, newest first; what happens meanwhile is not in it."""
    form: Format = call.query.format
    runtime = call.ctx.runtime
    named = f'attachment; filename="audit-events.{form.value}"'

    return Streamed(
        (
            (b"content-type", _MEDIA_TYPES[form].encode("ascii")),
            (b"content-disposition", named.encode("ascii")),
        ),
        _Export(call.ctx, call.query).next_part,
        runtime.lane,
        _LONGEST_EXPORT,
    )


class _Export:
    """The parts, one after the other: each is a page, read in a transaction of its own."""

    def __init__(self, ctx: Context, query: AuditExportQuery) -> None:
        self._ctx = ctx
        self._query = query
        wanted = query.to_filter()
        until = ctx.now + timedelta(microseconds=1) if wanted.until is None else wanted.until
        self._wanted = replace(wanted, until=until)
        self._last: str | None = None
        self._is_recorded = False
        self._is_over = False

    def next_part(self) -> bytes | None:
        """That it was taken is recorded before the first; None after the last."""
        if not self._is_recorded:
            self._record()
            self._is_recorded = True
            if head := audit_formats.head(self._query.format):
                return head
        if self._is_over:
            return None
        with self._ctx.runtime.database.transaction("read") as db:
            page = audit_trail.search(db, self._wanted, limit=_AT_ONCE, before=self._last)
        self._is_over = len(page) < _AT_ONCE
        if not page:
            return None
        self._last = page[-1].id
        return audit_formats.lines(self._query.format, page)

    def _record(self) -> None:
        ctx, asked = self._ctx, self._query.model_dump(mode="json", exclude_none=True)
        with ctx.runtime.database.transaction("write") as db:
            audit.record(db, Event.AUDIT_EXPORTED, origin=ctx.origin, now=ctx.now, asked=asked)


def _answer(entry: Entry) -> AuditEventAnswer:
    facts = audit_formats.facts(entry)
    actor = ActorAnswer(
        kind=ActorKind(facts.pop("actor")),
        user_id=facts.pop("actor_user_id"),
        client_id=facts.pop("actor_client_id"),
    )
    return AuditEventAnswer(**{**facts, "at": entry.at, "actor": actor})


_USER = "3f0e9c1a-6f54-4f5e-9c1b-2a7d8e0b4c55"
_WANTED = {"event": "sign_in.failed", "user_id": _USER, "since": "2026-01-05T00:00:00Z"}
_EXAMPLE = {
    "id": "019b8d62-7a80-73a1-acf1-88f9fcf744e7",
    "at": "2026-01-05T09:00:00Z",
    "event": "sign_in.failed",
    "outcome": "failure",
    "actor": {"kind": "nobody", "user_id": None, "client_id": None},
    "user_id": _USER,
    "client_id": "bXktY2xpZW50LWlkLWlzLTE",
    "request_id": "kJ2mVx1qYb0a",
    "address": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
    "detail": {"reason": "wrong_password"},
    "before": None,
    "after": None,
}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/admin/audit-events",
        name="admin_api.audit_events",
        summary="Search the audit log",
        description="Newest first. Filters add up. The log is only ever appended to: nothing here"
        " changes or deletes an event.",
        rule=administration(ApiScope.AUDIT_READ),
        handler=list_events,
        query=AuditPageQuery,
        answer=AuditPage,
        query_example={**_WANTED, "limit": 50},
        answer_example={"events": [_EXAMPLE], "next_cursor": None},
    ),
    Operation(
        method="GET",
        path="/api/v1/admin/audit-events/export",
        name="admin_api.export_audit_events",
        summary="Export the audit log",
        description="The same filters, everything in one file: `jsonl` has a JSON object in each"
        " line, `csv` is for spreadsheets. An answer without its end is not whole: ask for a"
        " shorter stretch of time.",
        rule=administration(ApiScope.AUDIT_READ),
        handler=export_events,
        query=AuditExportQuery,
        query_example={**_WANTED, "format": "csv"},
        files=tuple(name.partition(";")[0] for name in _MEDIA_TYPES.values()),
    ),
)
