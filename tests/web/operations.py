"""A small API of the tests, beside the real addresses: one operation of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from httpx2 import Response as Answered
from pydantic import Field
from starlette.testclient import TestClient

from oidc_server.app import Server
from oidc_server.domain import roles
from oidc_server.routes import ROUTES
from oidc_server.web import operations, responses
from oidc_server.web.api_access import EVERYBODY, administration, oneself, oneself_or_others, others
from oidc_server.web.errors import types
from oidc_server.web.json_api import Answer, Body, Query, read_cursor
from oidc_server.web.operations import Call, Operation
from oidc_server.web.responses import Response
from tests.browser import Browser
from tests.factories import Person, make_client, make_user
from tests.relying_party import RelyingParty
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
        return (
            Operation(path="/api/open", name="t.open", rule=EVERYBODY, **asked),
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
                path="/api/rule/{thing}", name="t.r", rule=administration("things:rule"), **asked
            ),
        )


@dataclass
class Callers:
    """The API on the server of a test, and tokens of everybody who may call it."""

    site: Site
    api: Api
    http: TestClient
    person: Person
    other: Person
    administrator: Person
    tokens: dict[str, str]

    def call(
        self, method: str, path: str, caller: str, headers: Mapping[str, str] = {}, **options: Any
    ) -> Answered:
        sent = {"authorization": f"Bearer {self.tokens[caller]}"} if caller else {}
        answer: Answered = self.http.request(method, path, headers={**sent, **headers}, **options)
        return answer


def callers(site: Site) -> Callers:
    """A person, an administrator and a service, with every scope of the API."""
    api = Api()
    app = Server(site.runtime, [*ROUTES, *operations.routes(api.table())], with_jobs=False)
    http = TestClient(app, base_url=site.issuer, follow_redirects=False)
    http.portal = site.http.portal
    person, other, administrator = (make_user(site) for _ in range(3))
    with site.db() as db:
        roles.assign(db, administrator.id, roles.ADMIN, site.clock.now)
    scope = f"openid {SCOPES}"
    party = RelyingParty(site, make_client(site, scopes=scope.split()))
    tokens = {
        name: token_of(site, party, who, scope)
        for name, who in (("person", person), ("administrator", administrator))
    }
    tokens["narrow"] = token_of(site, party, person, "openid")
    service = RelyingParty(site, make_client(site, "service", scopes=SCOPES.split()))
    tokens["service"] = service.token(grant_type="client_credentials").json()["access_token"]
    return Callers(site, api, http, person, other, administrator, tokens)


def token_of(site: Site, party: RelyingParty, person: Person, scope: str) -> str:
    """An access token of a person with these scopes."""
    browser = Browser(site.browser(), site.issuer)
    answer = party.redeem(party.authorize(browser, person, scope=scope).code).json()
    token: str = answer["access_token"]
    return token
