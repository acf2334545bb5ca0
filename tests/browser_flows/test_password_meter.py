"""How good a new password is, told while it is typed, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser_flows.people import sign_in
from tests.examples.running import Place, running_place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        place.add_user("ada")
        yield place


def test_the_meter_says_what_is_wrong_and_when_it_is_good(place: Place, page: Page) -> None:
    page.goto(f"{place.issuer}/sign-up")
    told = page.get_by_role("status")
    expect(page.locator(".meter")).to_be_hidden()

    page.fill("#username", "kettlemaker")
    page.locator("#password").press_sequentially("kettlemaker99")
    expect(told).to_contain_text("This password contains your name")
    page.fill("#password", "")
    expect(told).to_have_text("")
    page.fill("#password", "wobbly kettle under seven moons")
    expect(told).to_have_text("This password is very hard to guess.")


def test_what_was_wrong_with_one_password_is_not_said_of_the_next(place: Place, page: Page) -> None:
    page.goto(f"{place.issuer}/sign-up")
    page.fill("#username", "kettlemaker")
    page.fill("#email", "kettlemaker@example.com")
    page.fill("#password", "password")
    page.click("#sign-up")
    password = page.locator("#password")
    expect(password).to_have_accessible_description(re.compile("among the first"))

    password.fill("wobbly kettle under seven moons")

    expect(page.locator("#password-error")).to_have_count(0)
    expect(password).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("status")).to_have_text("This password is very hard to guess.")


def test_the_meter_stands_where_a_password_is_changed_too(place: Place, page: Page) -> None:
    sign_in(page, place.issuer, "ada")
    page.goto(f"{place.issuer}/account/security/password")
    page.locator("#password").press_sequentially("ada qwertyuiop")

    expect(page.locator(".meter [role=status]")).not_to_be_empty()
