"""A small OAuth client that drives our HTTP surface as a third party would."""

import base64
import hashlib
import secrets
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from httpx2 import Client, Response

from tests.beginnings import once
from tests.browser import Browser
from tests.factories import App, Person, make_client, make_user
from tests.site import Site


@dataclass(frozen=True)
class Answer:
    """An authorization response, as it arrives at the redirect URI."""

    location: str
    params: dict[str, str]

    @property
    def code(self) -> str:
        return self.params["code"]

    @property
    def error(self) -> str | None:
        return self.params.get("error")


class Reachable(Protocol):
    """A server that answers HTTP, in this process or in others."""

    @property
    def http(self) -> Client: ...


class RelyingParty:
    """One client with its PKCE verifier, state and nonce."""

    def __init__(self, site: Reachable, app: App) -> None:
        self.site = site
        self.app = app
        self.verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe(16)
        self.nonce = secrets.token_urlsafe(16)

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def parameters(self, **changes: str | None) -> dict[str, str]:
        values = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.app.redirect_uri,
            "scope": "openid profile email",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in values.items() if value is not None}

    def url(self, **changes: str | None) -> str:
        return f"/authorize?{urlencode(self.parameters(**changes))}"

    def read(self, response: Response) -> Answer:
        """The answer in a redirect to us; fails if it is none."""
        location = response.headers.get("location", "")
        assert response.status_code == 303, (response.status_code, response.text[:2000])
        assert location.startswith(self.app.redirect_uri), location
        parts = urlsplit(location)
        query = parse_qs(parts.query or parts.fragment)
        return Answer(location, {name: values[0] for name, values in query.items()})

    def authorize(self, browser: Browser, person: Person, **changes: str | None) -> Answer:
        """The whole way of a person: sign in if asked, allow if asked."""
        page = browser.go(self.url(**changes))
        if 'id="sign-in"' in page.text:
            page = browser.log_in(page, person)
        if 'id="allow"' in page.text:
            page = browser.allow(page)
        return self.read(page)

    def token(self, **fields: str) -> Response:
        """A request to the token endpoint, with the authentication the client is registered for."""
        return self.post("/token", **fields)

    def post(self, path: str, **fields: str) -> Response:
        headers = self.headers("POST", path)
        if self.app.client_secret is None:
            return self.site.http.post(
                path, data={"client_id": self.app.client_id, **fields}, headers=headers
            )
        return self.site.http.post(
            path, data=fields, auth=(self.app.client_id, self.app.client_secret), headers=headers
        )

    def headers(self, method: str, path: str, access_token: str | None = None) -> dict[str, str]:
        """What a request carries besides its parameters."""
        del method, path
        return {} if access_token is None else {"authorization": f"Bearer {access_token}"}

    def redeem(self, code: str, **changes: str) -> Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.app.redirect_uri,
            "code_verifier": self.verifier,
            **changes,
        }
        return self.token(**{name: value for name, value in fields.items() if value})

    def refresh(self, refresh_token: str, **changes: str) -> Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **changes)

    def userinfo(self, access_token: str) -> Response:
        headers = self.headers("GET", "/userinfo", access_token)
        return self.site.http.get("/userinfo", headers=headers)

    def introspect(self, token: str, **fields: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.post("/introspect", token=token, **fields).json()
        return answer


def signed_in(site: Site, **client: Any) -> tuple[RelyingParty, Browser, Person, dict[str, Any]]:
    """A client, a browser and a person, right after their first sign-in, with the tokens."""
    made = once(site, ("signed in", repr(client)), lambda: _signed_in(site, client))
    party, browser, person, tokens = made
    return copy(party), browser.another(site.browser()), person, dict(tokens)


def _signed_in(
    site: Site, client: dict[str, Any]
) -> tuple[RelyingParty, Browser, Person, dict[str, Any]]:
    party = RelyingParty(site, make_client(site, **client))
    browser = Browser(site.browser(), site.issuer)
    person = make_user(site)
    answer = party.authorize(browser, person)
    response = party.redeem(answer.code)
    assert response.status_code == 200, response.text
    return party, browser, person, response.json()
