"""A small API of the tests, beside the real addresses: one operation of each kind."""

from typing import Any

from pydantic import Field
from starlette.testclient import TestClient

from oidc_server.api import operations
from oidc_server.api.access import (
    EVERYBODY,
    administration,
    oneself,
    oneself_or_others,
    others,
)
from oidc_server.api.lists import read_cursor
from oidc_server.api.models import Answer, Body, Query
from oidc_server.api.operations import Call, Operation
from oidc_server.app import Server
from oidc_server.routes import ROUTES
from oidc_server.web import responses
from oidc_server.web.errors import types
from oidc_server.web.responses import Response
from tests.callers import Callers, make_callers
from tests.site import Site

SCOPES = "things:own things:any things:give things:rule"


class Thing(Body):
    """What is sent."""

    user_id: str | None = None
    name: str = Field(min_length=2, max_length=10)
    size: int = Field(ge=1, le=9)


class Page(Query):
    """What is asked for."""

    user_id: str | None = None
    limit: int = Field(default=3, ge=1, le=10)
    cursor: str | None = None


class Told(Answer):
    """What is answered."""

    subject: str | None
    calls: int = 0


class Api:
    """The operations, and how often each handler ran."""

    def __init__(self) -> None:
        self.calls = 0
        self.refuse = False

    def greet(self, _: Call) -> Told:
        """Nobody in particular."""
        return Told(subject=None)

    def tell(self, call: Call) -> Told:
        if call.query is not None and call.query.cursor is not None:
            read_cursor(call.query.cursor, str, int)
        return Told(subject=call.shown_subject)

    def do(self, call: Call) -> Told | Response:
        self.calls += 1
        if self.refuse:
            return call.problem(types.CONFLICT, "Not now.", calls=self.calls)
        return Told(subject=call.shown_subject, calls=self.calls)

    def table(self) -> tuple[Operation, ...]:
        common: dict[str, Any] = {"summary": "", "answer": Told}
        given: dict[str, Any] = {**common, "method": "POST", "handler": self.do, "body": Thing}
        asked: dict[str, Any] = {**common, "method": "GET", "handler": self.tell}
        greeted: dict[str, Any] = {**asked, "handler": self.greet}
        return (
            Operation(path="/api/open", name="t.open", rule=EVERYBODY, **greeted),
            Operation(path="/api/own", name="t.own", rule=oneself("things:own"), **asked),
            Operation(
                path="/api/any",
                name="t.any",
                rule=oneself_or_others("things:any"),
                query=Page,
                **asked,
            ),
            Operation(path="/api/any", name="t.do", rule=oneself_or_others("things:any"), **given),
            Operation(
                path="/api/any",
                name="t.drop",
                method="DELETE",
                summary="",
                rule=oneself("things:any"),
                handler=lambda _: responses.empty(204),
            ),
            Operation(path="/api/give", name="t.give", rule=others("things:give"), **given),
            Operation(
                path="/api/once",
                name="t.once",
                rule=oneself_or_others("things:any"),
                idempotent=True,
                **given,
            ),
            Operation(
                path="/api/rule/{thing}", name="t.r", rule=administration("things:rule"), **greeted
            ),
        )


def callers(site: Site) -> tuple[Callers, Api]:
    """Everybody, with every scope of the API, and the API on the server of a test."""
    api = Api()
    app = Server(site.runtime, [*ROUTES, *operations.routes(api.table())], with_jobs=False)
    http = TestClient(app, base_url=site.issuer, follow_redirects=False)
    http.portal = site.http.portal
    return make_callers(site, SCOPES, http), api
