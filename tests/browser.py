"""A person at a browser without scripts: fills the real forms and follows our redirects."""

import re
import time
from copy import copy
from html import unescape
from typing import Any

from httpx2 import Client, Response

from tests.factories import Person

_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


class Page:
    """A page with a form on it."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.text: str = response.text
        self.forms = _FORM.findall(self.text)

    def hidden(self, form: int = 0) -> dict[str, str]:
        tags = _HIDDEN.findall(self.forms[form])
        return {_attribute(tag, "name"): _attribute(tag, "value") for tag in tags}

    def action(self, form: int = 0) -> str:
        return _attribute(self.forms[form][: self.forms[form].index(">") + 1], "action")


class Browser:
    """One browser. `go` stops at a page, or at a redirect that leaves the server."""

    def __init__(self, client: Client, issuer: str) -> None:
        self.client = client
        self.issuer = issuer
        self.last: Response | None = None
        self.since = time.time()

    def another(self, client: Client) -> "Browser":
        """One that has been where this one has, and holds its cookies: for as long as they held."""
        browser = Browser(client, self.issuer)
        browser.last = self.last
        for cookie in self.client.cookies.jar:
            held = copy(cookie)
            if held.expires is not None:
                held.expires += int(time.time() - self.since)
            client.cookies.jar.set_cookie(held)
        return browser

    def go(self, url: str) -> Response:
        """Open an address and follow redirects while they stay with us."""
        return self._follow(self.client.get(url))

    def send(self, page: Response, *, form: int = 0, **fields: Any) -> Response:
        """Fill a form of a page and send it, hidden fields and all."""
        shown = Page(page)
        data = {**shown.hidden(form), **fields}
        headers = {"origin": self.issuer, "sec-fetch-site": "same-origin"}
        return self._follow(self.client.post(shown.action(form), data=data, headers=headers))

    def log_in(self, page: Response, person: Person, **changes: Any) -> Response:
        fields: dict[str, Any] = {
            "username": person.username,
            "password": person.password,
            **changes,
        }
        return self.send(page, **fields)

    def allow(self, page: Response) -> Response:
        return self.send(page, decision="allow")

    def deny(self, page: Response) -> Response:
        return self.send(page, decision="deny")

    def _follow(self, response: Response) -> Response:
        for _ in range(10):
            location: Any = response.headers.get("location")
            if location is None or not self._is_ours(location):
                break
            assert response.status_code == 303, response.status_code
            response = self.client.get(location)
        self.last = response
        return response

    def _is_ours(self, location: str) -> bool:
        return location.startswith(("/", self.issuer + "/"))
