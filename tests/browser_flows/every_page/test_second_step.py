"""Every page that asks for more than a password."""

import re
import time
from collections.abc import Callable

import pyotp
from playwright.sync_api import Page

from tests.browser_flows.every_page.looking import Look
from tests.browser_flows.people import expect_account_of, sign_in, sign_up
from tests.browser_flows.test_passkeys import NO_AUTOFILL, Device, add_passkey
from tests.examples.running import PASSWORD, Place


def code_shown(page: Page, later: int = 0) -> str:
    """What an app shows for the secret on the page."""
    secret = (page.locator("#secret").text_content() or "").replace(" ", "")
    return pyotp.TOTP(secret).at(int(time.time()) + later)


def prove(page: Page, button: str) -> None:
    page.fill("#current_password", PASSWORD)
    page.click(button)


def use_another_way(page: Page, name: str) -> None:
    page.get_by_text("Use another way").click()
    page.get_by_role("link", name=name).click()


def test_the_pages_of_the_first_administrator_have_no_faults(
    place: Place, page: Page, look: Look
) -> None:
    [link] = re.findall(r"^Set it up, once: (\S+)$", place.server.logs(), re.MULTILINE)

    page.goto(place.issuer)
    look("setup/waiting.html", "Waiting to be set up")
    page.goto(link)
    look("setup/setup.html", "Create the administrator")
    page.fill("#username", "root")
    page.fill("#email", "root@example.com")
    page.fill("#password", "password")
    page.get_by_role("main").locator("button[type=submit]").last.click()
    look("setup/setup.html", "Create the administrator", "refused")
    page.fill("#password", PASSWORD)
    page.get_by_role("main").locator("button[type=submit]").last.click()
    page.goto(link)
    look("authentication/link_invalid.html", "This link does not work", "setup")

    page.context.clear_cookies()
    sign_in(page, place.issuer, "root")
    look("authentication/enrolment.html", "Set up a second step")
    page.fill("#code", "000000")
    page.click("#turn-on")
    look("authentication/enrolment.html", "Set up a second step", "wrong")
    page.fill("#code", code_shown(page))
    page.click("#turn-on")
    look("authentication/recovery_codes.html", "Save your recovery codes")


def test_the_pages_of_the_second_step_have_no_faults(place: Place, page: Page, look: Look) -> None:
    security = f"{place.issuer}/account/security"
    sign_up(page, place.issuer, "hedy")

    page.goto(f"{security}/authenticator")
    look("account/security/new_authenticator.html", "Add an authenticator app")
    page.fill("#current_password", "wrong")
    page.click("#continue")
    look("account/security/new_authenticator.html", "Add an authenticator app", "refused")
    prove(page, "#continue")
    look("account/security/authenticator.html", "Add an authenticator app")
    page.fill("#code", code_shown(page, later=-150))
    page.click("#turn-on")
    look("account/security/authenticator.html", "Add an authenticator app", "slow-clock")
    page.fill("#code", code_shown(page))
    page.fill("#name", "Phone")
    page.click("#turn-on")
    look("account/security/recovery_codes.html", "Save your recovery codes")
    page.check("[name=saved]")
    page.click("#continue")
    look("account/security/page.html", "Security", "authenticator")
    page.locator("a.danger").first.click()
    look("account/security/factor.html", "Remove Phone")
    page.goto(f"{security}/recovery-codes")
    look("account/security/new_recovery_codes.html", "Make new recovery codes")

    page.context.clear_cookies()
    sign_in(page, place.issuer, "hedy")
    look("authentication/second_step.html", "Enter your code")
    page.fill("#code", "000000")
    page.click("#continue")
    look("authentication/second_step.html", "Enter your code", "wrong")
    use_another_way(page, "Use a recovery code")
    look("authentication/recovery_code.html", "Use a recovery code")
    page.fill("#recovery_code", "k7fq-2m9")
    page.click("#continue")
    look("authentication/recovery_code.html", "Use a recovery code", "wrong")


def test_the_pages_of_mailed_codes_have_no_faults(
    place: Place, page: Page, look: Look, mailed: Callable[[str, str], str]
) -> None:
    sign_up(page, place.issuer, "mary")
    page.goto(mailed("mary", rf"{place.issuer}/verify-email\?link=[\w.-]+"))
    page.click("#confirm")
    page.goto(f"{place.issuer}/account/security/mailed-codes")
    look("account/security/mailed_codes.html", "Get a code by mail")
    prove(page, "#turn-on")
    page.wait_for_selector("[role=status]")
    page.locator("a.danger").first.click()
    look("account/security/factor.html", "Remove code by mail", "mailed-codes")

    page.context.clear_cookies()
    sign_in(page, place.issuer, "mary")
    look("authentication/mailed_code.html", "Enter the code from your mail")
    for _ in range(5):
        page.fill("#code", "000000")
        page.click("#continue")
    look("authentication/mailed_code.html", "Enter the code from your mail", "over")


def test_the_pages_of_passkeys_have_no_faults(place: Place, page: Page, look: Look) -> None:
    security = f"{place.issuer}/account/security"
    Device(page)
    sign_up(page, place.issuer, "edith")
    page.context.clear_cookies(name="sid")
    sign_in(page, place.issuer, "edith")
    look("authentication/passkey_offer.html", "Sign in faster next time")
    page.click("#not-now")
    expect_account_of(page, "edith")

    page.goto(f"{security}/passkeys/new")
    look("account/security/new_passkey.html", "Add a passkey")
    page.fill("#current_password", "wrong")
    page.click("#make-passkey")
    page.get_by_role("alert").wait_for()
    look("account/security/new_passkey.html", "Add a passkey", "refused")
    add_passkey(page, place.issuer)
    look("account/security/passkey.html", "Chrome on Linux", "added")
    page.goto(f"{security}/passkeys/second-step")
    look("account/security/passkey_step.html", "Passkey after your password")
    prove(page, "#save-step")
    page.wait_for_selector("[role=status]")
    look("account/security/page.html", "Security", "passkey")

    page.context.clear_cookies()
    page.add_init_script(NO_AUTOFILL)
    sign_in(page, place.issuer, "edith")
    look("authentication/passkey_step.html", "Use your passkey")
