"""Every page that says what went wrong, and those for developers and operators."""

from pathlib import Path

from playwright.sync_api import Page

from tests.browser_flows.every_page.looking import Look
from tests.browser_flows.people import sign_up
from tests.examples.running import Place, running_place


def test_what_goes_wrong(place: Place, page: Page, look: Look) -> None:
    page.goto(f"{place.issuer}/nowhere")
    look("errors/error.html", "There is nothing here", "nothing")
    page.goto(f"{place.issuer}/authorize")
    look("errors/error.html", "This app is not set up correctly")
    page.goto(f"{place.issuer}/login")
    page.evaluate("document.querySelector('[name=csrf_token]').value = 'old'")
    page.fill("#username", "ada")
    page.fill("#password", "any")
    page.click("#sign-in")
    look("errors/error.html", "This page has expired", "expired")
    page.goto(f"{place.issuer}/problems/insufficient-scope")
    look("problems/problem.html", "The access token does not allow this")


def test_the_choice_of_a_language(place: Place, page: Page, look: Look) -> None:
    page.goto(f"{place.issuer}/language")
    look("language_choice/language.html", "Choose a language")


def test_the_pages_for_developers(place: Place, page: Page, look: Look) -> None:
    sign_up(page, place.issuer, "katherine")

    page.goto(f"{place.issuer}/dev/app")
    look("dev/app.html", "Sample app")
    page.goto(f"{place.issuer}/dev/mail")
    look("dev/mail.html", "Mail")
    page.locator(".row-title a").first.click()
    page.wait_for_url(f"{place.issuer}/dev/mail/**")
    look("dev/mail_one.html", page.locator("h1").inner_text())


def test_a_server_where_nobody_signs_up(tmp_path: Path, page: Page, look: Look) -> None:
    with running_place(tmp_path, OIDC_SIGN_UP="closed") as place:
        page.goto(f"{place.issuer}/sign-up")
        look("authentication/sign_up_closed.html", "Accounts are by invitation")
