"""Filling the pages on which people prove who they are."""

import re
from typing import Any

from httpx2 import Response

from tests.browser import Browser, Page
from tests.factories import PASSWORD, Person, make_user
from tests.site import Site

_PASSING = re.compile(r'name="csrf_token" value="[^"]*"|<code>[\w-]{8,}</code>|[\w-]{12}</b>')


def new_browser(site: Site) -> Browser:
    return Browser(site.browser(), site.issuer)


def sign_in(browser: Browser, username: str, password: str = PASSWORD) -> Response:
    """Open the login page and send it; the answer to the form itself, no redirect followed."""
    return post(browser, browser.client.get("/login"), username=username, password=password)


def signed_in_browser(site: Site, person: Person) -> Browser:
    """A browser where this person is signed in."""
    browser = new_browser(site)
    assert sign_in(browser, person.username).status_code == 303
    return browser


def signed_in_person(site: Site, **changes: Any) -> tuple[Person, Browser]:
    """Somebody new, and a browser where they are signed in."""
    person = make_user(site, **changes)
    return person, signed_in_browser(site, person)


def sign_up(browser: Browser, username: str, **changes: str) -> Response:
    """Open the sign-up page and send it; the answer to the form itself."""
    values = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
    return post(browser, browser.client.get("/sign-up"), **{**values, **changes})


def ask_for_reset(browser: Browser, username: str) -> Response:
    return post(browser, browser.client.get("/password-reset"), username=username)


def post(browser: Browser, page: Response, **fields: str) -> Response:
    """Send the form of a page with these fields; follow nothing."""
    shown = Page(page)
    return post_to(browser, shown.action(), **{**shown.hidden(), **fields})


def post_to(browser: Browser, path: str, **fields: str) -> Response:
    """Send a form of one's own making from our origin."""
    headers = {"origin": browser.issuer, "sec-fetch-site": "same-origin"}
    return browser.client.post(path, data=fields, headers=headers)


def csrf(browser: Browser) -> str:
    """A token that this browser may send with any form."""
    return Page(browser.client.get("/password-reset")).hidden()["csrf_token"]


def session_cookie(browser: Browser) -> str | None:
    return browser.client.cookies.get("__Host-sid")


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/account").status_code == 200


def essence(response: Response, typed: str) -> tuple[object, ...]:
    """All that an answer tells, but for what was typed and what is new in every answer."""
    headers = sorted((name, value) for name, value in response.headers.items())
    varying = ("x-request-id", "content-length", "set-cookie")
    cookies = sorted(cookie.partition("=")[0] for cookie in response.headers.get_list("set-cookie"))
    body = _PASSING.sub("", response.text).replace(typed, "…")
    kept = tuple(header for header in headers if header[0] not in varying)
    return response.status_code, kept, tuple(cookies), body
