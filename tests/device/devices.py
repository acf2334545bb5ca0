"""A device that has no browser, and the person who connects it."""

from typing import Any

from httpx2 import Response

from tests.browser import Browser
from tests.factories import App, Person
from tests.relying_party import Reachable, RelyingParty

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = (DEVICE_CODE, "refresh_token")


class Device(RelyingParty):
    """A client that shows a code, and polls."""

    def __init__(self, site: Reachable, app: App) -> None:
        super().__init__(site, app)
        self.shown: dict[str, Any] = {}

    def ask(self, **fields: str) -> dict[str, Any]:
        """Ask for codes, and show the one for the person."""
        answer = self.post("/device_authorization", **{"scope": "openid profile", **fields})
        assert answer.status_code == 200, answer.text
        self.shown = answer.json()
        return self.shown

    def poll(self, **changes: str) -> Response:
        fields = {"grant_type": DEVICE_CODE, "device_code": self.shown["device_code"], **changes}
        return self.token(**fields)

    def error(self, **changes: str) -> str:
        """What the device is told instead of tokens."""
        answer = self.poll(**changes)
        assert answer.status_code == 400, answer.text
        error: str = answer.json()["error"]
        return error


def question(browser: Browser, person: Person, user_code: str) -> Response:
    """Type the code and sign in if asked: the page that asks whether it is one's device."""
    page = browser.send(browser.go("/device"), user_code=user_code)
    if 'id="sign-in"' in page.text:
        page = browser.log_in(page, person)
    assert "Is this your device?" in page.text, page.text
    return page


def connect(browser: Browser, person: Person, user_code: str) -> Response:
    return browser.send(question(browser, person, user_code), decision="allow", same_code="yes")
