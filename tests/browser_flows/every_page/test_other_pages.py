"""Every page that says what went wrong, and those for developers and operators."""

from pathlib import Path

from playwright.sync_api import Page

from tests.browser_flows.every_page.looking import Look
from tests.browser_flows.people import reload_until_shown, sign_up
from tests.examples.running import Place, running_place


def test_error_pages_have_no_faults(place: Place, page: Page, look: Look) -> None:
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
    page.goto("about:blank")
    page.set_content(
        f'<form method="post" action="{place.issuer}/login"><button>Win</button></form>'
    )
    page.click("text=Win")
    look("errors/error.html", "The form came from another address", "from-elsewhere")
    page.goto(f"{place.issuer}/problems/insufficient-scope")
    look("problems/problem.html", "The access token does not allow this")


def test_the_choice_of_a_language_has_no_faults(place: Place, page: Page, look: Look) -> None:
    page.goto(f"{place.issuer}/language")
    look("language_choice/language.html", "Choose a language")


def test_the_pages_for_developers_have_no_faults(place: Place, page: Page, look: Look) -> None:
    sign_up(page, place.issuer, "katherine")

    page.goto(f"{place.issuer}/dev/app")
    look("dev/app.html", "Sample app")
    page.goto(f"{place.issuer}/dev/mail")
    first = page.locator(".row-title a").first
    reload_until_shown(page, first)
    look("dev/mail.html", "Mail")
    first.click()
    page.wait_for_url(f"{place.issuer}/dev/mail/**")
    look("dev/mail_one.html", page.locator("h1").inner_text())


def test_the_pages_of_closed_sign_up_have_no_faults(tmp_path: Path, page: Page, look: Look) -> None:
    with running_place(tmp_path, OIDC_SIGN_UP="closed") as place:
        page.goto(f"{place.issuer}/sign-up")
        look("authentication/sign_up_closed.html", "Accounts are by invitation")
