"""Every page of an account."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser_flows.every_page.looking import Look
from tests.browser_flows.people import authorize_url, sign_in, sign_up
from tests.examples.running import PASSWORD, Place

HOME = "http://localhost:9"
APP = "An application with a name that has many words"


def open_app(place: Place, page: Page) -> None:
    """Let an app use the account, and a second browser be signed in."""
    client_id = place.add_app(APP, HOME)["CLIENT_ID"]
    page.route(f"{HOME}/**", lambda route: route.fulfill(status=200, body="the app"))
    page.goto(authorize_url(place.issuer, client_id, f"{HOME}/callback"))
    page.click("#allow")
    page.wait_for_url(f"{HOME}/**")


def test_the_pages_of_an_account_have_no_faults(place: Place, page: Page, look: Look) -> None:
    account = f"{place.issuer}/account"
    sign_up(page, place.issuer, "joan")

    page.goto(f"{account}/apps")
    look("account/apps.html", "Apps", "none")
    page.goto(f"{account}/sessions")
    look("account/sessions.html", "Devices", "no-others")
    page.goto(f"{account}/security")
    look("account/security/page.html", "Security")
    page.context.clear_cookies()
    sign_in(page, place.issuer, "joan")
    open_app(place, page)
    page.goto(account)
    look("account/overview.html", "Hello, joan")
    page.get_by_role("button", name="Your sign-in joan").click()
    look("account/overview.html", "Hello, joan", "menu")
    page.goto(f"{account}/apps")
    look("account/apps.html", "Apps")
    page.goto(f"{account}/sessions")
    look("account/sessions.html", "Devices")
    page.goto(f"{account}/activity")
    look("account/activity.html", "Activity")
    page.goto(f"{account}/data")
    look("account/data/page.html", "Data and privacy")

    page.goto(f"{place.issuer}/logout?id_token_hint=x")
    look("errors/error.html", "This app is not set up correctly", "logout")
    page.goto(f"{place.issuer}/logout")
    look("logout/confirm.html", "Sign out of Your ID?")
    page.click("#log-out")
    look("logout/signed_out.html", "You are signed out")


def test_the_forms_of_an_account_have_no_faults(
    place: Place, page: Page, look: Look, mailed: Callable[[str, str], str]
) -> None:
    account = f"{place.issuer}/account"
    sign_up(page, place.issuer, "karen")
    page.goto(mailed("karen", rf"{place.issuer}/verify-email\?link=[\w.-]+"))
    page.click("#confirm")

    page.goto(f"{account}/profile")
    look("account/profile.html", "Profile")
    page.fill("#birthdate", "yesterday")
    page.fill("#phone_number", "1")
    page.click("#save-profile")
    look("account/profile.html", "Profile", "refused")
    page.goto(f"{account}/security/password")
    look("account/security/change_password.html", "Change password")
    page.fill("#current_password", "wrong")
    page.fill("#password", "password")
    page.click("#save-password")
    look("account/security/change_password.html", "Change password", "refused")

    page.goto(f"{account}/profile/email")
    look("account/change_email.html", "Change e\u2011mail address")
    page.fill("#email", "new-karen@example.com")
    page.fill("#current_password", "wrong")
    page.click("#send-link")
    look("account/change_email.html", "Change e\u2011mail address", "refused")
    page.fill("#current_password", PASSWORD)
    page.click("#send-link")
    look("account/email_sent.html", "Check your mail")
    page.goto(mailed("new-karen", rf"{place.issuer}/change-email\?link=[\w.-]+"))
    look("authentication/confirm_email.html", "Confirm your address", "changing")
    page.click("#confirm")
    look("authentication/email_verified.html", "Your address is confirmed", "changed")
    page.goto(mailed("karen", rf"{place.issuer}/undo-email-change\?link=[\w.-]+"))
    look("authentication/undo_email_change.html", "Take your account back")


def test_the_pages_of_download_and_deletion_have_no_faults(
    place: Place, page: Page, look: Look
) -> None:
    data = f"{place.issuer}/account/data"
    sign_up(page, place.issuer, "annie")

    page.goto(f"{data}/download")
    look("account/data/download.html", "Download your data")
    page.goto(f"{data}/delete")
    look("account/data/delete.html", "Delete account")
    page.fill("#current_password", "wrong")
    page.click("#delete")
    look("account/data/delete.html", "Delete account", "refused")
    page.fill("#current_password", PASSWORD)
    page.click("#delete")
    look("account/data/deleted.html", "Your account is shut")
