"""A third-party application without a browser: does the work whose cost is measured."""

import base64
import hashlib
import re
import secrets
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from benchmarks.server import Started

PASSWORD = "a long enough passphrase"
_REDIRECT_URI = "http://localhost:1/callback"
_HIDDEN = re.compile(r'type="hidden" name="([^"]*)" value="([^"]*)"')


class Client:
    """A registered application that skips consent, and a person's browser."""

    def __init__(self, server: Started, algorithm: str = "ES256") -> None:
        self.issuer = server.issuer
        arguments = ("clients", "add", "--name", "Bench", "--type", "web", "--skip-consent")
        grants = ("authorization_code", "refresh_token", "client_credentials")
        made = server.command(
            *arguments,
            *("--redirect-uri", _REDIRECT_URI, "--id-token-alg", algorithm),
            *(part for grant in grants for part in ("--grant-type", grant)),
        )
        self.client_id: str = made["client_id"]
        self._auth = (self.client_id, made["client_secret"])
        self.http = httpx2.Client(base_url=self.issuer, auth=self._auth)
        self.browser = httpx2.Client(base_url=self.issuer)

    def authorize(self) -> tuple[str, str]:
        """A code and its verifier; signs in when asked."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": _REDIRECT_URI,
            "scope": "openid",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        response = self.browser.get(f"/authorize?{urlencode(query)}")
        while not response.headers["location"].startswith(_REDIRECT_URI):
            response = self.browser.get(response.headers["location"])
            if response.status_code == 200:
                response = self._log_in(response)
        location = urlsplit(response.headers["location"])
        return parse_qs(location.query)["code"][0], verifier

    def _log_in(self, page: httpx2.Response) -> httpx2.Response:
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}
        fields = {**hidden, "username": "bench", "password": PASSWORD}
        return self.browser.post("/login", data=fields, headers={"origin": self.issuer})

    def sign_in(self) -> dict[str, Any]:
        """The whole of a sign-in: authorize and token."""
        code, verifier = self.authorize()
        return self.token(
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=_REDIRECT_URI,
        )

    def token(self, **fields: str) -> dict[str, Any]:
        response = self.http.post("/token", data=fields)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer
