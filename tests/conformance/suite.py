"""The suite of certification as a driver: what it sends, and what it checks of every answer.

It knows the issuer and nothing else: addresses come from discovery, clients register themselves.
"""

import base64
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jwt
from httpx2 import Client, Response

from tests.browser import Browser, Page
from tests.client_assertions import assertion_fields, claims_for
from tests.conformance import checks
from tests.conformance.answers import Answer, Tokens
from tests.conformance.client_keys import ClientKey
from tests.factories import Person

CALLBACK = "https://suite.example.org/test/a/server/callback"
KEYS = [ClientKey.generate(), ClientKey.generate()]
"""Of the two clients of a plan."""
TWICE = ("authorization_code", "refresh_token")


class Suite:
    """One run against one server."""

    def __init__(
        self, connect: Callable[[], Client], issuer: str, now: Callable[[], datetime]
    ) -> None:
        self.connect = connect
        self.issuer = issuer
        self.now = now
        self.http = connect()
        self.metadata: dict[str, Any] = self.discover()

    def discover(self) -> dict[str, Any]:
        response = self.http.get(f"{self.issuer}/.well-known/openid-configuration")
        assert response.status_code == 200
        found: dict[str, Any] = checks.of_json(response)
        return found

    def keys(self) -> dict[str, jwt.PyJWK]:
        """The published keys by `kid`: distinct, and without a private member."""
        keys = checks.of_json(self.http.get(self.metadata["jwks_uri"]))["keys"]
        kids = [key["kid"] for key in keys]
        assert len(set(kids)) == len(kids)
        for key in keys:
            assert key["kty"] in {"RSA", "EC", "OKP"}
            assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & key.keys()
        return {key["kid"]: jwt.PyJWK(key) for key in keys}

    def describe(self, key: ClientKey | None = KEYS[0], **changes: Any) -> dict[str, Any]:
        """What the suite says of a client; a change to None leaves a member out."""
        members = {
            "grant_types": ["authorization_code"],
            "jwks": None if key is None else key.key_set(),
            "token_endpoint_auth_method": "client_secret_basic",
            "response_types": ["code"],
            "redirect_uris": [CALLBACK],
            "contacts": ["certification@oidf.example.org"],
            "client_name": "Suite client",
            **changes,
        }
        return {name: value for name, value in members.items() if value is not None}

    def ask_to_register(self, **members: Any) -> Response:
        return self.http.post(self.metadata["registration_endpoint"], json=members)

    def party(
        self, key: ClientKey = KEYS[0], browser: Browser | None = None, **changes: Any
    ) -> "Party":
        """A client that has just registered itself, and the browser of its person."""
        sent = self.describe(key, **changes)
        assert (
            sent["token_endpoint_auth_method"]
            in self.metadata["token_endpoint_auth_methods_supported"]
        )
        response = self.ask_to_register(**sent)
        client = checks.of_registration(response, urlsplit(self.issuer).scheme)
        return Party(self, client, key, browser or Browser(self.connect(), self.issuer))


class Party:
    """A registered client."""

    def __init__(
        self, suite: Suite, client: dict[str, Any], key: ClientKey, browser: Browser
    ) -> None:
        self.suite = suite
        self.client = client
        self.key = key
        self.browser = browser
        self.callback: str = client["redirect_uris"][0]
        self.sent: dict[str, str] = {}

    def url(self, **changes: str | None) -> str:
        """An authorization request; a change to None leaves a parameter out."""
        values = {
            "client_id": self.client["client_id"],
            "redirect_uri": self.callback,
            "scope": "openid",
            "state": secrets.token_urlsafe(96),
            "nonce": secrets.token_urlsafe(16),
            "response_type": "code",
            **changes,
        }
        self.sent = {name: value for name, value in values.items() if value is not None}
        return f"{self.suite.metadata['authorization_endpoint']}?{urlencode(self.sent)}"

    def pass_pages(self, page: Response, person: Person) -> Response:
        """Sign in where that is asked, and allow."""
        if 'id="sign-in"' in page.text:
            page = self.browser.log_in(page, person)
        if 'id="allow"' in page.text:
            page = self.browser.allow(page)
        return page

    def authorize(self, person: Person, **changes: str | None) -> Answer:
        return self.read(self.pass_pages(self.browser.go(self.url(**changes)), person))

    def silently(self, **changes: str | None) -> Answer:
        """With `prompt=none`: an answer without a page."""
        return self.read(self.browser.go(self.url(prompt="none", **changes)))

    def read(self, response: Response, state: str | None = None) -> Answer:
        """The answer, by redirect or in a form, after the checks of every module."""
        if self.sent.get("response_mode") == "form_post":
            pairs = self._of_form(response)
        else:
            assert response.status_code == 303, (response.status_code, response.text[:2000])
            parts = urlsplit(response.headers["location"])
            registered = urlsplit(self.callback)
            assert (parts.scheme, parts.netloc, parts.path) == registered[:3]
            assert not parts.fragment
            pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
            kept = parse_qsl(registered.query)
            assert pairs[: len(kept)] == kept
            pairs = pairs[len(kept) :]
        params = dict(pairs)
        assert len(params) == len(pairs)
        assert params.pop("iss") == self.suite.issuer
        assert params.pop("state", None) == (state or self.sent.get("state"))
        checks.of_answer(params)
        return Answer(params)

    def _of_form(self, response: Response) -> list[tuple[str, str]]:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/html")
        page = Page(response)
        assert page.action() == self.callback
        return list(page.hidden().items())

    def credentials(self, **changes: Any) -> tuple[dict[str, str], dict[str, str]]:
        """The header and the parameters by which the client proves itself."""
        client_id, secret = self.client["client_id"], self.client.get("client_secret", "")
        match self.client["token_endpoint_auth_method"]:
            case "client_secret_basic":
                pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()
                return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}, {}
            case "client_secret_post":
                return {}, {"client_id": client_id, "client_secret": secret}
            case "private_key_jwt":
                audience = changes.pop("aud", self.suite.metadata["token_endpoint"])
                claims = claims_for(client_id, audience, self.suite.now(), **changes)
                return {}, assertion_fields(self.key.sign(claims))
        return {}, {"client_id": client_id}

    def ask_for_tokens(self, fields: dict[str, str], **assertion: Any) -> Response:
        """A token request; `assertion` changes claims of what the client signs."""
        headers, proof = self.credentials(**assertion)
        endpoint = self.suite.metadata["token_endpoint"]
        return self.suite.http.post(endpoint, data={**fields, **proof}, headers=headers)

    def redeem(self, answer: Answer, **assertion: Any) -> Response:
        fields = {
            "grant_type": "authorization_code",
            "code": answer.params["code"],
            "redirect_uri": self.callback,
        }
        return self.ask_for_tokens(fields, **assertion)

    def refresh(self, refresh_token: str, **fields: str) -> Response:
        return self.ask_for_tokens(
            {"grant_type": "refresh_token", "refresh_token": refresh_token, **fields}
        )

    def tokens(self, response: Response, *, refreshed: bool = False) -> Tokens:
        """The tokens of a response, after the checks of every module."""
        body = checks.of_tokens(response)
        header = jwt.get_unverified_header(body["id_token"])
        key = self.suite.keys()[header["kid"]]
        claims: dict[str, Any] = jwt.decode(
            body["id_token"],
            key.key,
            [self.client["id_token_signed_response_alg"]],
            audience=self.client["client_id"],
            issuer=self.suite.issuer,
            options={"verify_exp": False, "verify_iat": False},
        )
        if not refreshed:
            assert claims.get("nonce") == self.sent.get("nonce")
        checks.of_id_token(claims, self.suite.now())
        return Tokens(body, claims, header)

    def flow(self, person: Person, **changes: str | None) -> tuple[Tokens, dict[str, Any]]:
        """From the authorization request to userinfo, which says the same `sub`."""
        tokens = self.tokens(self.redeem(self.authorize(person, **changes)))
        told = checks.of_json(self.userinfo(tokens.access_token))
        checks.of_claims(told)
        assert told["sub"] == tokens.id_token["sub"]
        return tokens, told

    def userinfo(self, access_token: str) -> Response:
        return self.suite.http.get(
            self.suite.metadata["userinfo_endpoint"],
            headers={"authorization": f"Bearer {access_token}"},
        )

    def log_out(self, **params: str | None) -> Response:
        """An RP-initiated logout in the browser of the person."""
        sent = {name: value for name, value in params.items() if value is not None}
        return self.browser.go(f"{self.suite.metadata['end_session_endpoint']}?{urlencode(sent)}")

    def unregister(self) -> Response:
        return self.suite.http.delete(
            self.client["registration_client_uri"],
            headers={"authorization": f"Bearer {self.client['registration_access_token']}"},
        )
