"""Requests below the manners of a client library: every byte as written, and what they left."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select, union_all

from oidc_server import domain
from oidc_server.web.load.lateness import ARRIVED_AT
from tests.site import Site

FORM = ("content-type", "application/x-www-form-urlencoded")
_MAY_GROW = ("audit_events",)
# One question about all of them: tests ask it often.
_COUNTS = union_all(
    *[
        select(literal(table.name), func.count()).select_from(table)
        for table in domain.Base.metadata.sorted_tables
        if table.name not in _MAY_GROW
    ]
)


@dataclass(frozen=True)
class Raw:
    """One answer, with its headers in the order in which they came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) < 2, f"{name} was sent more than once: {values}"
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    site: Site,
    method: str,
    target: str,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    seconds_ago: float = 0.0,
) -> Raw:
    """Send a request as it stands: nothing is encoded, ordered or left out, but `Host` is added.

    It arrived so many `seconds_ago`, and has waited for its turn since.
    """
    scope = _scope(method, target, headers) | {ARRIVED_AT: time.monotonic() - seconds_ago}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    assert site.http.portal is not None
    site.http.portal.call(site.app, scope, receive, send)
    start, *rest = sent
    return Raw(
        start["status"],
        [(key.decode("latin-1"), value.decode("latin-1")) for key, value in start["headers"]],
        b"".join(part.get("body", b"") for part in rest),
    )


def _scope(method: str, target: str, headers: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """What a server that speaks ASGI would say of the request."""
    path, _, query = target.partition("?")
    names = {key for key, _ in headers}
    carried = headers if "host" in names else (("host", "id.example.com"), *headers)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [(key.encode("latin-1"), value.encode("latin-1")) for key, value in carried],
        "client": ("192.0.2.7", 40000),
        "server": ("id.example.com", 443),
    }


def row_counts(site: Site) -> dict[str, int]:
    """How many rows each table holds, without the audit log: that one grows with every refusal."""
    with site.db() as db:
        return {row[0]: row[1] for row in db.session.execute(_COUNTS)}
