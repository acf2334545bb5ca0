"""What is asked of the server: real sign-ins, and each fast endpoint over and over."""

import base64
import hashlib
import http.client
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from benchmarks.process import Server
from benchmarks.stage import Stage
from tests.browser import Browser
from tests.factories import App, Person

Operation = Callable[[], None]


@dataclass(frozen=True)
class Cost:
    """What one operation takes: of the server's processor, and until its answer is there."""

    cpu_ms: float
    answer_ms: float
    count: int


class Client:
    """An application or a service: one connection that it keeps, and its credentials."""

    def __init__(self, server: Server, app: App) -> None:
        self.app = app
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._host = f"localhost:{server.port}"
        pair = f"{app.client_id}:{app.client_secret}".encode()
        self._basic = "Basic " + base64.b64encode(pair).decode()

    def get(self, path: str, expected: int = 200, **headers: str) -> Any:
        return self._ask("GET", path, None, headers, expected)

    def post(self, path: str, **fields: str) -> dict[str, Any]:
        headers = {
            "authorization": self._basic,
            "content-type": "application/x-www-form-urlencoded",
        }
        answer = self._ask("POST", path, urlencode(fields), headers, 200)
        return dict(json.loads(answer.body))

    def close(self) -> None:
        self._connection.close()

    def _ask(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str], expected: int
    ) -> Any:
        self._connection.request(method, path, body, {"host": self._host, **headers})
        answer: Any = self._connection.getresponse()
        answer.body = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer


class Visit:
    """One browser that signs a person in, and goes on being signed in."""

    def __init__(self, server: Server, client: Client) -> None:
        self._client = client
        self._http = httpx2.Client(base_url=server.issuer, timeout=30)
        self._browser = Browser(self._http, server.issuer)
        self._verifier = secrets.token_urlsafe(48)
        self._url = self._authorize_url()

    def sign_in(self, person: Person) -> dict[str, Any]:
        """The whole way, with the password."""
        page = self._browser.go(self._url)
        return self._redeem(self._browser.log_in(page, person).headers["location"])

    def silent_sign_in(self, cookies: str | None = None) -> dict[str, Any]:
        """The way of who is signed in already: /authorize answers with a code at once."""
        cookies = cookies or "; ".join(f"{one.name}={one.value}" for one in self._http.cookies.jar)
        answer = self._client.get(self._url, 303, cookie=cookies)
        return self._redeem(answer.headers["location"])

    def close(self) -> None:
        self._http.close()

    def _authorize_url(self) -> str:
        digest = hashlib.sha256(self._verifier.encode()).digest()
        fields = {
            "response_type": "code",
            "client_id": self._client.app.client_id,
            "redirect_uri": self._client.app.redirect_uri,
            "scope": "openid profile email",
            "state": "state",
            "nonce": "nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"/authorize?{urlencode(fields)}"

    def _redeem(self, location: str) -> dict[str, Any]:
        [code] = parse_qs(urlsplit(location).query)["code"]
        return self._client.post(
            "/token",
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._client.app.redirect_uri,
            code_verifier=self._verifier,
        )


def sign_in_people(server: Server, stage: Stage, count: int) -> None:
    """Sign people in, each time with a browser of its own."""
    client = Client(server, stage.web)
    for number in range(count):
        visit = Visit(server, client)
        visit.sign_in(stage.people[number % len(stage.people)])
        visit.close()
    client.close()


def operations(server: Server, stage: Stage) -> dict[str, Operation]:
    """Each fast endpoint, ready to be asked once."""
    web, service = Client(server, stage.web), Client(server, stage.service)
    visit = Visit(server, web)
    tokens = visit.sign_in(stage.people[0])
    bearer = f"Bearer {tokens['access_token']}"
    # Very many sessions of one person would end the one that the others go on with.
    others = replace(stage, people=stage.people[1:])

    def refresh() -> None:
        tokens.update(
            web.post("/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        )

    return {
        "discovery": lambda: _done(web.get("/.well-known/openid-configuration")),
        "JWKS": lambda: _done(web.get("/jwks.json")),
        "client_credentials": lambda: _done(
            service.post("/token", grant_type="client_credentials")
        ),
        "refresh": refresh,
        "userinfo": lambda: _done(web.get("/userinfo", authorization=bearer)),
        "introspection": lambda: _done(service.post("/introspect", token=tokens["access_token"])),
        "sign-in with a live session (authorize and token)": lambda: _done(visit.silent_sign_in()),
        "sign-in with the password (Argon2id)": lambda: sign_in_people(server, others, 1),
    }


def measure(server: Server, operation: Operation, seconds: float) -> Cost:
    """Ask one at a time for about `seconds`, after a few that warm up."""
    for _ in range(5):
        operation()
    cpu, start, count = server.cpu_seconds(), time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < seconds or count < 5:
        operation()
        count += 1
    return Cost(1000 * (server.cpu_seconds() - cpu) / count, 1000 * elapsed / count, count)


def _done(_answer: object) -> None:
    """Takes the answer, which nobody needs."""
