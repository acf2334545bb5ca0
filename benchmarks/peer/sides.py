"""A server to ask: where it is, who its clients are, and how a person signs in there."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from benchmarks.stage import REDIRECT_URI
from benchmarks.trees import Tree
from tests.factories import App, Person

PEOPLE = 8
"""As many as there are connections."""
VERIFIER = "a-verifier-that-every-sign-in-of-the-benchmarks-takes"
SCOPE = "openid profile email"
FORM = "application/x-www-form-urlencoded"

SignIn = Callable[[httpx2.Client, str, int], str]
"""From the authorization request to the redirect that leaves the server, as person `number`."""


@dataclass
class Side:
    """One server. `apps` by their roles; `database` is the process tree of its database, if any."""

    name: str
    port: int
    tree: Tree
    apps: dict[str, App]
    sign_in: SignIn
    database: Tree | None = None
    people: list[Person] = field(default_factory=list)
    """Who has a password there."""
    metadata: dict[str, Any] = field(default_factory=dict)
    _cookies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.browser() as http:
            self.metadata = http.get("/.well-known/openid-configuration").json()

    @property
    def trees(self) -> list[Tree]:
        return [self.tree, *([self.database] if self.database else [])]

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def browser(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.address, timeout=30)

    def path(self, name: str) -> str:
        """The path of an endpoint, by its name in the metadata."""
        return urlsplit(str(self.metadata[name])).path

    def authorize_path(self, role: str) -> str:
        app = self.apps[role]
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": "state",
            "nonce": "nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.path('authorization_endpoint')}?{urlencode(query)}"

    def basic(self, role: str) -> str:
        app = self.apps[role]
        pair = f"{app.client_id}:{app.client_secret}".encode()
        return "Basic " + base64.b64encode(pair).decode()

    def sessions(self) -> list[str]:
        """A Cookie header for each of the people, who are signed in at the first call."""
        for number in range(len(self._cookies), PEOPLE):
            with self.browser() as http:
                self.sign_in(http, self.authorize_path("web ES256"), number)
                cookies = [f"{cookie.name}={cookie.value}" for cookie in http.cookies.jar]
                self._cookies.append("; ".join(sorted(set(cookies))))
        return self._cookies

    def tokens(self, role: str, count: int) -> list[dict[str, Any]]:
        """Tokens of people who are signed in already, from one sign-in each."""
        found, sessions = [], self.sessions()
        with self.browser() as http:
            for number in range(count):
                cookie = {"cookie": sessions[number % len(sessions)]}
                answer = http.get(self.authorize_path(role), headers=cookie)
                found.append(self._redeem(http, role, answer))
        return found

    def ask_token(self, http: httpx2.Client, role: str, **fields: str) -> dict[str, Any]:
        headers = {"authorization": self.basic(role), "content-type": FORM}
        answer = http.post(self.path("token_endpoint"), content=urlencode(fields), headers=headers)
        if answer.status_code != httpx2.codes.OK:
            raise RuntimeError(f"{self.name}: {answer.status_code} {answer.text[:500]}")
        return dict(json.loads(answer.content))

    def _redeem(self, http: httpx2.Client, role: str, answer: Any) -> dict[str, Any]:
        query = parse_qs(urlsplit(answer.headers.get("location", "")).query)
        if "code" not in query:
            raise RuntimeError(f"{self.name}: no code: {answer.status_code} {answer.headers}")
        return self.ask_token(
            http,
            role,
            grant_type="authorization_code",
            code=query["code"][0],
            redirect_uri=REDIRECT_URI,
            code_verifier=VERIFIER,
        )
