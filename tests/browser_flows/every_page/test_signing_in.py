"""Every page between a person and the app that they want to use."""

from collections.abc import Callable
from urllib.parse import urlencode

import httpx2
from playwright.sync_api import Page, expect

from tests.browser_flows.every_page.looking import Look
from tests.browser_flows.people import expect_account_of, sign_in, sign_up
from tests.examples.running import PASSWORD, Place

HOME = "http://127.0.0.1:9"
APP = "Ledger of the Analytical Engine"
WRONG_LINK = "?link=IjEi.mfP0Kw.1"


def test_the_pages_of_sign_up_have_no_faults(
    place: Place, page: Page, look: Look, mailed: Callable[[str, str], str]
) -> None:
    page.goto(f"{place.issuer}/sign-up")
    look("authentication/sign_up.html", "Create your account")
    page.fill("#username", "ada")
    page.fill("#email", "ada@nowhere")
    page.fill("#password", "password")
    page.click("#sign-up")
    look("authentication/sign_up.html", "Create your account", "refused")
    page.fill("#password", "a word and password")
    expect(page.locator(".meter [role=status]")).not_to_be_empty()
    look("authentication/sign_up.html", "Create your account", "metered")

    sign_up(page, place.issuer, "rosa")
    look("account/overview.html", "Hello, rosa", "not-confirmed")
    link = mailed("rosa", rf"{place.issuer}/verify-email\?link=[\w.-]+")
    page.goto(link)
    look("authentication/confirm_email.html", "Confirm your address")
    page.context.clear_cookies(name="sid")
    page.reload()
    look("authentication/confirm_email.html", "Confirm your address", "signed-out")
    sign_in(page, place.issuer, "rosa")
    expect_account_of(page, "rosa")
    page.goto(f"{place.issuer}/verify-email/code")
    look("authentication/email_code.html", "Type the code from the mail")
    page.fill("#code", "000000")
    page.click("#confirm")
    look("authentication/email_code.html", "Type the code from the mail", "wrong")
    page.goto(link)
    page.click("#confirm")
    look("authentication/email_verified.html", "Your address is confirmed")
    page.goto(f"{place.issuer}/verify-email{WRONG_LINK}")
    look("authentication/link_invalid.html", "This link does not work", "address")


def test_the_pages_of_the_password_have_no_faults(
    place: Place, page: Page, look: Look, mailed: Callable[[str, str], str]
) -> None:
    page.goto(f"{place.issuer}/login")
    look("authentication/login.html", "Sign in")
    sign_in(page, place.issuer, "ada", "wrong")
    look("authentication/login.html", "Sign in", "wrong")

    page.goto(f"{place.issuer}/password-reset")
    look("authentication/password_reset.html", "Reset your password")
    page.fill("#username", "ada@example.com")
    page.click("#send-link")
    look("authentication/check_mail.html", "Check your mail")
    page.goto(mailed("ada", rf"{place.issuer}/password-reset/new\?link=[\w.-]+"))
    look("authentication/new_password.html", "Choose a new password")
    page.fill("#password", "password")
    page.click("#set-password")
    look("authentication/new_password.html", "Choose a new password", "refused")
    page.fill("#password", PASSWORD)
    page.click("#set-password")
    look("authentication/password_changed.html", "Your password is changed")
    page.goto(f"{place.issuer}/password-reset/new{WRONG_LINK}")
    look("authentication/link_invalid.html", "This link does not work", "password")


def test_the_pages_of_a_disowned_sign_in_have_no_faults(
    place: Place, page: Page, look: Look, mailed: Callable[[str, str], str]
) -> None:
    sign_up(page, place.issuer, "grace")
    page.goto(mailed("grace", rf"{place.issuer}/verify-email\?link=[\w.-]+"))
    page.click("#confirm")
    page.context.clear_cookies()
    sign_in(page, place.issuer, "grace")

    page.goto(mailed("grace", rf"{place.issuer}/not-me\?link=[\w.-]+"))
    look("authentication/not_me.html", "Was this not you?")
    page.goto(f"{place.issuer}/not-me{WRONG_LINK}")
    look("authentication/link_invalid.html", "This link does not work", "not-me")


def test_the_pages_of_an_authorization_request_have_no_faults(
    place: Place, page: Page, look: Look
) -> None:
    made = place.command(
        *("clients", "add", "--name", APP, "--type", "native"),
        *("--redirect-uri", "org.example.ledger:/callback"),
        *("--redirect-uri", f"{HOME}/callback"),
    )
    query = {
        "client_id": made["client_id"],
        "redirect_uri": "org.example.ledger:/callback",
        "response_type": "code",
        "scope": "openid profile email offline_access",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }

    def ask(**more: str) -> None:
        page.goto(f"{place.issuer}/authorize?{urlencode({**query, **more})}")

    ask()
    look("authentication/login.html", "Sign in", "app")
    page.click("text=Create an account")
    look("authentication/sign_up.html", "Create your account", "app")
    ask()
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    look("authorization/consent.html", f"{APP} wants to use your account")
    page.click("#allow")
    look("authorization/leave.html", f"Back to {APP}")
    ask(prompt="select_account")
    look("authentication/select_account.html", "Choose an account")
    page.route("**/submit*.js", lambda route: route.abort())
    ask(redirect_uri=f"{HOME}/callback", response_mode="form_post")
    page.click("#allow")
    look("authorization/form_post.html", "Back to the app")
    ask(redirect_uri=f"{HOME}/elsewhere")
    look("errors/error.html", f"{APP} is not set up correctly", "app")


def test_the_consent_page_of_an_app_that_registered_itself_has_no_faults(
    place: Place, page: Page, look: Look
) -> None:
    members = {"client_name": APP, "redirect_uris": ["https://ledger.example.net/callback"]}
    made = httpx2.post(f"{place.issuer}/register", json=members).json()
    query = {
        "client_id": made["client_id"],
        "redirect_uri": members["redirect_uris"][0],
        "response_type": "code",
        "scope": "openid profile email",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    sign_in(page, place.issuer, "ada")
    expect_account_of(page, "Ada")

    page.goto(f"{place.issuer}/authorize?{urlencode(query)}")

    look("authorization/consent.html", f"{APP} wants to use your account", "self-registered")


def test_the_pages_of_a_device_have_no_faults(place: Place, page: Page, look: Look) -> None:
    client_id = place.command(
        *("clients", "add", "--name", "A terminal with a name that has many words"),
        *("--type", "native", "--grant-type", "urn:ietf:params:oauth:grant-type:device_code"),
        *("--grant-type", "refresh_token"),
    )["client_id"]

    def ask() -> str:
        told = httpx2.post(
            f"{place.issuer}/device_authorization",
            data={"client_id": client_id, "scope": "openid profile email offline_access"},
        )
        return str(told.json()["verification_uri_complete"])

    page.goto(f"{place.issuer}/device")
    look("device/verification.html", "Connect a device")
    page.goto(f"{place.issuer}/device?user_code=WDJB-MJHT")
    page.click("#go-on")
    look("device/verification.html", "Connect a device", "wrong")
    page.goto(ask())
    look("device/verification.html", "Connect a device", "typed")
    page.click("#go-on")
    look("authentication/login.html", "Sign in", "device")
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    look("device/confirmation.html", "Is this your device?")
    page.click("#allow")
    look("device/confirmation.html", "Is this your device?", "not-compared")
    page.check("[name=same_code]")
    page.click("#allow")
    look("device/decided.html", "Your device is connected")
    page.goto(ask())
    page.click("#go-on")
    page.click("#deny")
    look("device/decided.html", "The device is not connected", "denied")
