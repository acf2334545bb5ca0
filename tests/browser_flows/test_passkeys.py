"""Passkeys in Chromium, with an authenticator that its developer tools provide."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser_flows.people import expect_account_of, sign_in
from tests.examples.running import PASSWORD, Place, running_place

NO_AUTOFILL = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        yield place


class Device:
    """What the person holds: it has their finger on it, until it is told otherwise."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        self._id = self._ask(
            "addVirtualAuthenticator",
            options={
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            },
        )["authenticatorId"]

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._session.send(f"WebAuthn.{method}", parameters)
        return answer

    def know_nobody(self) -> None:
        self._ask("setUserVerified", authenticatorId=self._id, isUserVerified=False)

    def passkeys(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("getCredentials", authenticatorId=self._id)[
            "credentials"
        ]
        return found


def add_passkey(page: Page, issuer: str) -> None:
    page.goto(f"{issuer}/account/security")
    page.click("#add-passkey")
    page.fill("#current_password", PASSWORD)
    page.click("#make-passkey")
    page.wait_for_selector("#save-name")


def sign_out(page: Page) -> None:
    page.context.clear_cookies()


def test_a_passkey_is_made_named_used_and_removed(place: Place, page: Page) -> None:
    place.add_user("ada")
    device = Device(page)
    sign_in(page, place.issuer, "ada")

    page.goto(f"{place.issuer}/account/security/passkeys/new")
    page.fill("#current_password", "wrong")
    page.click("#make-passkey")
    expect(page.get_by_role("alert")).to_have_text("This is not your present password.")
    expect(page.locator("#current_password")).to_be_focused()
    assert device.passkeys() == []
    add_passkey(page, place.issuer)
    expect(page.locator("#name")).to_have_value("Chrome on Linux")
    page.fill("#name", "My laptop")
    page.click("#save-name")
    expect(page.get_by_role("heading", name="My laptop")).to_be_visible()

    sign_out(page)
    page.add_init_script(NO_AUTOFILL)
    page.goto(f"{place.issuer}/login")
    page.click("#passkey")
    expect_account_of(page, "Ada")

    page.goto(f"{place.issuer}/account/security")
    page.get_by_role("link", name="Change My laptop").click()
    page.fill("#current_password", PASSWORD)
    page.click("#remove-passkey")
    expect(page.get_by_role("status")).to_have_text("The passkey is removed.")
    expect(page.get_by_role("heading", name="My laptop")).to_have_count(0)


def test_a_passkey_is_offered_after_the_password_where_the_device_can_make_one(
    place: Place, page: Page
) -> None:
    place.add_user("alan")
    sign_in(page, place.issuer, "alan")
    expect_account_of(page, "Alan")  # without such a device nobody is asked
    sign_out(page)
    device = Device(page)

    sign_in(page, place.issuer, "alan")
    page.click("#make-passkey")
    expect_account_of(page, "Alan")
    assert len(device.passkeys()) == 1

    sign_out(page)
    page.add_init_script(NO_AUTOFILL)
    page.goto(f"{place.issuer}/login")
    page.click("#passkey")
    expect_account_of(page, "Alan")


def test_whoever_chooses_a_passkey_in_autofill_is_signed_in(place: Place, page: Page) -> None:
    place.add_user("grace")
    Device(page)
    sign_in(page, place.issuer, "grace")
    add_passkey(page, place.issuer)
    sign_out(page)

    page.goto(f"{place.issuer}/login")  # the device touches itself, which chooses the only passkey

    expect_account_of(page, "Grace")


def test_an_account_is_made_with_a_passkey_and_no_password(place: Place, page: Page) -> None:
    place.add_user("taken")
    device = Device(page)
    page.goto(f"{place.issuer}/sign-up")
    page.fill("#username", "taken")
    page.fill("#email", "rosa@example.com")

    page.click("#passkey")
    expect(page.get_by_role("alert")).to_contain_text("This username is taken")
    assert device.passkeys() == []
    page.fill("#username", "rosa")
    page.click("#passkey")

    expect_account_of(page, "rosa")
    page.goto(f"{place.issuer}/account/security")
    expect(page.get_by_role("heading", name="Chrome on Linux")).to_be_visible()
    sign_out(page)
    page.goto(f"{place.issuer}/login")
    expect_account_of(page, "rosa")


def test_a_passkey_is_asked_for_after_the_password(place: Place, page: Page) -> None:
    place.add_user("edith")
    Device(page)
    sign_in(page, place.issuer, "edith")
    add_passkey(page, place.issuer)
    page.goto(f"{place.issuer}/account/security/passkeys/second-step")
    page.fill("#current_password", PASSWORD)
    page.click("#save-step")
    expect(page.get_by_role("status")).to_contain_text("From now on a passkey is asked for")

    sign_out(page)
    page.add_init_script(NO_AUTOFILL)
    sign_in(page, place.issuer, "edith")
    page.click("text=Use your passkey >> nth=-1")

    expect_account_of(page, "Edith")


def test_what_goes_wrong_at_the_device_is_said_in_words(place: Place, page: Page) -> None:
    place.add_user("hedy")
    device = Device(page)
    sign_in(page, place.issuer, "hedy")
    add_passkey(page, place.issuer)

    page.goto(f"{place.issuer}/account/security/passkeys/new")
    page.fill("#current_password", PASSWORD)
    page.click("#make-passkey")
    expect(page.get_by_role("alert")).to_contain_text("has a passkey for this account already")

    sign_out(page)
    device.know_nobody()
    page.goto(f"{place.issuer}/login")
    page.click("#passkey")
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    expect(page.locator("#passkey")).to_be_enabled()
    expect(page.locator("#passkey")).to_be_focused()


def test_without_scripts_a_page_says_what_is_missing(
    place: Place, page_without_scripts: Page
) -> None:
    page = page_without_scripts
    place.add_user("mary")
    sign_in(page, place.issuer, "mary")

    page.goto(f"{place.issuer}/account/security/passkeys/new")
    expect(page.get_by_text("Passkeys cannot be made here")).to_be_visible()
    expect(page.locator("#make-passkey")).to_be_hidden()
    page.goto(f"{place.issuer}/login?reason=login_again")
    expect(page.locator("#passkey")).to_be_hidden()
