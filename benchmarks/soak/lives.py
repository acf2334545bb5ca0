"""A life: somebody signs up, uses an application, loses a password, connects a device, and goes."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from oidc_server.oauth2.vocabulary import API_SCOPES
from tests.browser import Browser
from tests.device.devices import GRANTS, Device, connect
from tests.factories import App, Person
from tests.relying_party import RelyingParty
from tests.services.smtp import MailServer

_PASSWORDS = ("seven lanterns above a harbour", "eleven kites beside a river")
_PATIENCE = 60.0
_CREDITS = "/api/v1/credits"


class WentWrongError(Exception):
    """The server did not answer as it should."""


@dataclass(frozen=True)
class World:
    """Where it happens, and the applications that are there already."""

    issuer: str
    smtp: MailServer
    web: App
    service: App

    @contextmanager
    def http(self) -> Iterator["Place"]:
        """Somebody's connection to the server."""
        with httpx2.Client(base_url=self.issuer, follow_redirects=False, timeout=_PATIENCE) as one:
            yield Place(one)

    @contextmanager
    def browser(self) -> Iterator[Browser]:
        with self.http() as place:
            yield Browser(place.http, self.issuer)


@dataclass(frozen=True)
class Place:
    http: httpx2.Client


def live(world: World, number: int) -> None:
    """From the beginning to the end; raises `WentWrongError` where it is not as it should be."""
    name = f"soak{number}"
    person = Person("", name, f"{name}@example.com", _PASSWORDS[0])
    with world.http() as programs, world.browser() as browser:
        party = RelyingParty(programs, world.web)
        _sign_up(world, browser, person)
        _use_tokens(party, browser, person)
        _guess_wrong(world, person)
        person = _forget_the_password(world, person)
        _connect_a_device(programs, world, person)
        _be_administered(programs, world, person)


def _sign_up(world: World, browser: Browser, person: Person) -> None:
    page = browser.go("/sign-up")
    browser.send(page, username=person.username, email=person.email, password=person.password)
    link = _mailed(world.smtp, person, "/verify-email")
    _expect(browser.send(browser.go(f"/verify-email?link={link}")), 200)


def _use_tokens(party: RelyingParty, browser: Browser, person: Person) -> None:
    tokens = _expect(party.redeem(party.authorize(browser, person).code), 200)
    for _ in range(3):
        _expect(party.userinfo(tokens["access_token"]), 200)
        _hold("an active token", party.introspect(tokens["access_token"])["active"])
        tokens = _expect(party.refresh(tokens["refresh_token"]), 200)
    _expect(party.redeem(party.authorize(browser, person).code), 200)  # and is left alone
    _expect(party.post("/revoke", token=tokens["access_token"]), 200)
    browser.go(f"/logout?id_token_hint={tokens['id_token']}")
    _expect(party.refresh(tokens["refresh_token"]), 400)


def _guess_wrong(world: World, person: Person) -> None:
    with world.browser() as stranger:
        for name in (person.username, f"nobody-{person.username}"):
            page = stranger.go("/login")
            _expect(stranger.send(page, username=name, password="not the password"), 401)


def _forget_the_password(world: World, person: Person) -> Person:
    with world.browser() as browser:
        browser.send(browser.go("/password-reset"), username=person.username)
        link = _mailed(world.smtp, person, "/password-reset/new")
        page = browser.go(f"/password-reset/new?link={link}")
        _expect(browser.send(page, password=_PASSWORDS[1]), 200)
    return Person("", person.username, person.email, _PASSWORDS[1])


def _connect_a_device(programs: Place, world: World, person: Person) -> None:
    """With a client that registers itself and goes away."""
    members = {
        "client_name": "Guest",
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "redirect_uris": [],
        "grant_types": list(GRANTS),
    }
    made = _expect(programs.http.post("/register", json=members), 201)
    device = Device(programs, App(made["client_id"], None, ""))
    device.ask()
    _hold("a device that waits", device.error() == "authorization_pending")
    with world.browser() as browser:
        connect(browser, person, device.shown["user_code"])
    time.sleep(device.shown.get("interval", 5))  # it polled before
    _expect(device.poll(), 200)
    bearer = {"authorization": f"Bearer {made['registration_access_token']}"}
    _expect(programs.http.delete(made["registration_client_uri"], headers=bearer), 204)


def _be_administered(programs: Place, world: World, person: Person) -> None:
    """A service looks around, gives credit and takes it, and deletes the account."""
    service = RelyingParty(programs, world.service)
    scope = " ".join(sorted(API_SCOPES))
    token = _expect(service.token(grant_type="client_credentials", scope=scope), 200)
    bearer = {"authorization": f"Bearer {token['access_token']}"}

    def ask(method: str, path: str, status: int, **options: Any) -> Any:
        headers = {**bearer, "idempotency-key": f"{person.username}-{path}"}
        return _expect(programs.http.request(method, path, headers=headers, **options), status)

    found = ask("GET", f"/api/v1/admin/users/{person.username}", 200)
    for path in ("users", "clients", "sessions", "grants", "audit-events"):
        ask("GET", f"/api/v1/admin/{path}", 200)
    for move, amount in (("add", "2.50"), ("use", "0.25")):
        body = {"user_id": found["id"], "amount": amount, "reference_id": f"{move}-{found['id']}"}
        ask("POST", f"{_CREDITS}/{move}", 200, json=body)
    ask("GET", f"{_CREDITS}/balance?user_id={found['id']}", 200)
    ask("DELETE", f"/api/v1/admin/users/{found['id']}", 204)


def _mailed(smtp: MailServer, person: Person, path: str) -> str:
    """The value of the newest link to `path` in the mails to somebody."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for mail in reversed(smtp.mails_to(person.email)):
            body = mail.get_body(("plain",))
            if body and (found := re.search(rf"{path}\?link=(\S+)", body.get_content())):
                return found[1]
        time.sleep(0.1)
    raise WentWrongError(f"no mail to {person.email} has a link to {path}")


def _expect(answer: httpx2.Response, status: int) -> Any:
    """The JSON of an answer with this status, if it is any."""
    told = f"{answer.request.url.path}: {answer.status_code} {answer.text[:200]}"
    _hold(told, answer.status_code == status)
    return answer.json() if "json" in answer.headers.get("content-type", "") else None


def _hold(told: str, condition: object) -> None:
    if not condition:
        raise WentWrongError(told)
