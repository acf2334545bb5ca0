"""A client of the FAPI 2.0 Security Profile: PAR, private_key_jwt, DPoP, PKCE."""

from typing import Any
from urllib.parse import urlencode

from httpx2 import Response

from tests.browser import Browser
from tests.client_assertions import KEYS, assertion_fields, claims_for, key_set, sign
from tests.dpop import ProvingParty, proofs_for
from tests.factories import make_client, make_user
from tests.relying_party import Answer
from tests.site import Site


class FapiParty(ProvingParty):
    """A client of the profile, which authenticates with what `assertion` makes."""

    def __init__(self, site: Site, **client: Any) -> None:
        keys = client.pop("jwks", key_set(*KEYS.values()))
        app = make_client(site, profile="fapi2", jwks=keys, **client)
        super().__init__(site, app, proofs_for(site))
        self.server = site
        self.proving = {"/par", "/token"}
        self.key = KEYS["PS256"]
        self.changes: dict[str, Any] = {}

    def assertion(self) -> dict[str, str]:
        """The fields of a good assertion, but for the `changes` of its claims."""
        claims = claims_for(
            self.app.client_id, self.server.issuer, self.server.clock.now, **self.changes
        )
        return assertion_fields(sign(self.key, claims))

    def post(self, path: str, **fields: str) -> Response:
        return self.server.http.post(
            path, data={**self.assertion(), **fields}, headers=self.headers("POST", path)
        )

    def push(self, **changes: str | None) -> Response:
        return self.post("/par", **self.parameters(**changes))

    def opening(self, **changes: str | None) -> str:
        answer = self.push(**changes)
        assert answer.status_code == 201, answer.text
        query = {"client_id": self.app.client_id, "request_uri": answer.json()["request_uri"]}
        return f"/authorize?{urlencode(query)}"

    def answer(self, **changes: str | None) -> Answer:
        browser = Browser(self.server.browser(), self.server.issuer)
        page = browser.log_in(browser.go(self.opening(**changes)), make_user(self.server))
        return self.read(browser.allow(page))

    def sign_in(self) -> dict[str, Any]:
        response = self.redeem(self.answer().code)
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens


def refused(answer: Response, *errors: str, statuses: tuple[int, ...] = (400,)) -> bool:
    assert answer.status_code in statuses, answer.text
    assert answer.json()["error"] in errors, answer.text
    assert answer.headers["content-type"] == "application/json"
    return True
