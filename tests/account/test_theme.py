"""The colours that somebody chose in a browser: shown from the server, without scripts."""

import re

import pytest
from httpx2 import Response

from tests.account.pages import send
from tests.authentication.forms import csrf, new_browser, post_to, sign_in
from tests.browser import Browser
from tests.factories import make_user
from tests.site import Site


def signed_in(site: Site) -> Browser:
    browser = new_browser(site)
    assert sign_in(browser, make_user(site).username).status_code == 303
    return browser


def choose(browser: Browser, theme: str, page: str = "/account/profile") -> Response:
    return send(browser, browser.client.get(page), "/account/theme", theme=theme)


def theme_of(page: Response) -> str | None:
    found = re.search(r'<html [^>]*data-theme="([^"]*)"', page.text)
    return found[1] if found else None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_choice_leads_back_and_holds_on_every_page(site: Site, theme: str) -> None:
    browser = signed_in(site)

    answer = choose(browser, theme)

    assert answer.headers["location"] == "/account/profile"
    assert "HttpOnly" in answer.headers["set-cookie"]
    for path in ("/account/profile", "/account", "/password-reset", "/nowhere"):
        page = browser.client.get(path)
        assert theme_of(page) == theme
        assert f'<meta name="color-scheme" content="{theme}">' in page.text
    assert theme_of(new_browser(site).client.get("/login")) is None


def test_the_system_decides_again_when_that_is_chosen(site: Site) -> None:
    browser = signed_in(site)
    choose(browser, "dark")

    choose(browser, "system")

    page = browser.client.get("/account")
    assert theme_of(page) is None
    assert 'content="light dark"' in page.text


def test_what_is_no_theme_is_neither_kept_nor_shown(site: Site) -> None:
    browser = signed_in(site)

    answer = post_to(browser, "/account/theme", csrf_token=csrf(browser), theme='x"><b>')
    browser.client.cookies.set("__Host-theme", "x><b>", domain="id.example.com")

    assert answer.status_code == 404
    assert theme_of(browser.client.get("/account")) is None


def test_nobody_is_sent_elsewhere_afterwards(site: Site) -> None:
    browser = signed_in(site)

    answer = post_to(
        browser,
        "/account/theme",
        csrf_token=csrf(browser),
        theme="dark",
        to="https://evil.example/",
    )

    assert answer.headers["location"] == "/account"
