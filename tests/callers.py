"""Everybody who may call the API, each with a token: people, an administrator, a service."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from oidc_server.domain import roles
from tests.beginnings import once
from tests.browser import Browser
from tests.factories import App, Person, make_client, make_resource, make_user
from tests.relying_party import RelyingParty
from tests.site import Site

ELSEWHERE = "https://elsewhere.example.net/"
_number = count(1)


@dataclass
class Callers:
    """People by name, and tokens by the name of who holds them."""

    site: Site
    http: TestClient
    people: dict[str, Person]
    tokens: dict[str, str]
    scope: str
    party: RelyingParty

    def call(
        self, method: str, path: str, caller: str, headers: Mapping[str, str] = {}, **options: Any
    ) -> Response:
        """A request with the token of this caller, or without one for ""."""
        sent = {"authorization": f"Bearer {self.tokens[caller]}"} if caller else {}
        answer: Response = self.http.request(method, path, headers={**sent, **headers}, **options)
        return answer

    def move(self, path: str, caller: str, *, key: str | None = None, **body: Any) -> Response:
        """A POST that happens once, under a key of its own unless told."""
        headers = {"idempotency-key": key or f"key-{next(_number)}"}
        return self.call("POST", path, caller, headers, json=body)

    def id_of(self, name: str) -> str:
        return self.people[name].id

    def give_role(self, name: str, role: str) -> None:
        """Give a person a role, and sign them in again: tokens say what their holder may."""
        with self.site.db() as db:
            roles.assign(db, self.id_of(name), role, self.site.clock.now)
        self.tokens[name] = token_of(
            self.site, self.party, self.people[name], f"openid {self.scope}"
        )


def make_callers(site: Site, scope: str, http: TestClient | None = None) -> Callers:
    """`person`, `other`, `moderator` and `administrator`; a `service`, and tokens that do not fit.

    All have the scope, but for `narrow`, a person's, and `narrow_service`; `elsewhere` is the
    service's for another resource.
    """
    people, app, tokens = once(site, ("callers", scope), lambda: _make(site, scope))
    party = RelyingParty(site, app)
    return Callers(site, http or site.http, dict(people), dict(tokens), scope, party)


def _make(site: Site, scope: str) -> tuple[dict[str, Person], App, dict[str, str]]:
    """The people, the client that they came through, and all tokens."""
    people = {name: make_user(site) for name in ("person", "other", "moderator", "administrator")}
    with site.db() as db:
        for name, role in (("administrator", roles.ADMIN), ("moderator", roles.MODERATOR)):
            roles.assign(db, people[name].id, role, site.clock.now)
    app = make_client(site, scopes=f"openid {scope}".split())
    party = RelyingParty(site, app)
    tokens = {
        name: token_of(site, party, person, f"openid {scope}") for name, person in people.items()
    }
    tokens["narrow"] = token_of(site, party, people["person"], "openid")
    make_resource(site, ELSEWHERE, scope)
    service = RelyingParty(site, make_client(site, "service", scopes=["other", *scope.split()]))
    tokens |= {
        "service": _service_token(service, scope=scope),
        "narrow_service": _service_token(service, scope="other"),
        "elsewhere": _service_token(service, scope=scope, resource=ELSEWHERE),
    }
    return people, app, tokens


def token_of(site: Site, party: RelyingParty, person: Person, scope: str) -> str:
    """An access token of a person with these scopes."""
    browser = Browser(site.browser(), site.issuer)
    answer = party.redeem(party.authorize(browser, person, scope=scope).code).json()
    token: str = answer["access_token"]
    return token


def _service_token(service: RelyingParty, **fields: str) -> str:
    token: str = service.token(grant_type="client_credentials", **fields).json()["access_token"]
    return token
