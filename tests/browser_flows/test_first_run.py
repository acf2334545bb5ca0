"""The first minute of an operator: start the server, open the printed link, be administrator."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser_flows.people import expect_account_of, sign_in
from tests.examples.running import PASSWORD, Place, running_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_place(tmp_path) as place:
        yield place


def printed_link(place: Place) -> str:
    [link] = re.findall(r"^Set it up, once: (\S+)$", place.server.logs(), re.MULTILINE)
    return str(link)


def set_up(page: Page, link: str) -> None:
    page.goto(link)
    page.fill("#username", "root")
    page.fill("#email", "root@example.com")
    page.fill("#name", "Grace Hopper")
    page.fill("#password", PASSWORD)
    page.get_by_role("main").locator("button[type=submit]").last.click()


def test_the_printed_link_makes_the_administrator_once(place: Place, page: Page) -> None:
    link = printed_link(place)

    set_up(page, link)

    expect_account_of(page, "Grace Hopper")
    expect(page.get_by_role("status")).to_contain_text("you are its administrator")
    page.goto(link)
    expect(page.locator("h1")).to_have_text("This link does not work")


def test_a_server_can_be_set_up_without_scripts(place: Place, page_without_scripts: Page) -> None:
    page = page_without_scripts

    set_up(page, printed_link(place))

    page.goto(f"{place.issuer}/account")
    expect_account_of(page, "Grace Hopper")


def test_the_link_leaves_the_address_bar_at_once(place: Place, page: Page) -> None:
    page.goto(printed_link(place))

    assert page.url == f"{place.issuer}/setup"


def test_before_it_is_set_up_the_front_page_says_how(place: Place, page: Page) -> None:
    page.goto(place.issuer)

    expect(page.locator("body")).to_contain_text("oidc-server setup-link")


def test_the_administrator_can_sign_in_again(place: Place, page: Page) -> None:
    set_up(page, printed_link(place))
    page.context.clear_cookies()

    sign_in(page, place.issuer, "root@example.com")

    expect_account_of(page, "Grace Hopper")
