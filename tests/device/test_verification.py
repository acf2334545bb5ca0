"""Typing the code of a device, and deciding about it."""

import pytest
from sqlalchemy import select

from oidc_server.domain import clients, device_codes, endings
from oidc_server.domain.audit import AuditEvent
from oidc_server.domain.device_codes import DeviceCode, DeviceRequest
from tests.browser import Browser
from tests.device.devices import GRANTS, Device, connect, question
from tests.factories import make_client, make_resource, make_user
from tests.held_up import held_up

WRONG = "BBBB-BBBB"


@pytest.fixture
def device(site):
    device = Device(site, make_client(site, "native", redirect_uris=(), grant_types=GRANTS))
    device.ask()
    return device


@pytest.fixture
def browser(site):
    return Browser(site.browser(), site.issuer)


def type_code(browser, user_code):
    return browser.send(browser.go("/device"), user_code=user_code)


def events(site):
    with site.db() as db:
        return [row.event for row in db.session.scalars(select(AuditEvent))]


@pytest.mark.parametrize(
    "spelled",
    [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code[:2]} {code[2:]} "],
)
def test_a_code_may_be_typed_in_many_ways(device, browser, spelled):
    page = type_code(browser, spelled(device.shown["user_code"]))

    assert 'id="sign-in"' in page.text


@pytest.mark.parametrize("typed", ["", WRONG, "BBBB", "AAAA-EEEE", "B" * 10_000, "ÄÖÜ-ß", "<b>"])
def test_a_wrong_code_shows_the_page_again(device, browser, typed):
    page = type_code(browser, typed)

    assert page.status_code == 422
    assert "No device waits with this code" in page.text


def test_the_sign_in_on_the_way_is_the_ordinary_one_and_says_for_what(site, device, browser):
    person = make_user(site)

    page = type_code(browser, device.shown["user_code"])
    wrong = browser.log_in(page, person, password="wrong")
    asked = browser.log_in(wrong, person)

    assert "Ledger" in page.text
    assert wrong.status_code == 401
    assert "Is this your device?" in asked.text
    assert asked.url.path.startswith("/device/")


def test_somebody_without_an_account_makes_one_on_the_way(device, browser):
    page = type_code(browser, device.shown["user_code"])
    request_id = page.url.params["request_id"]

    asked = browser.send(
        browser.go(f"/sign-up?request_id={request_id}"),
        username="newcomer",
        email="newcomer@example.com",
        name="",
        password="a long enough passphrase",
    )

    assert "Is this your device?" in asked.text


def test_the_question_shows_app_code_address_scopes_and_the_warning(site, browser):
    api = make_resource(site, "https://api.example.net", "ledgers.read")
    app = make_client(
        site,
        "native",
        redirect_uris=(),
        grant_types=GRANTS,
        scopes=("openid", "offline_access", "ledgers.read"),
        client_name="Ledger <terminal>",
    )
    device = Device(site, app)
    device.ask(scope="ledgers.read openid offline_access", resource=api)

    page = question(browser, make_user(site), device.shown["user_code"])

    for shown in (
        "Ledger &lt;terminal&gt;",
        device.shown["user_code"],
        "testclient",
        "Know that it is you",
        "Keep access when you are away",
        "<code>ledgers.read</code>",
        "it is a trap",
    ):
        assert shown in page.text


def test_the_complete_address_only_fills_the_code_in(site, device, browser):
    """RFC 8628 §3.3.1: the person still compares the code."""
    person = make_user(site)
    browser.log_in(browser.go("/login"), person)

    page = browser.go(device.shown["verification_uri_complete"])
    asked = browser.send(page, user_code=device.shown["user_code"])

    assert f'value="{device.shown["user_code"]}"' in page.text
    assert "Is this your device?" in asked.text
    assert device.error() == "authorization_pending"


def test_nothing_is_allowed_before_the_codes_were_compared(site, device, browser):
    page = question(browser, make_user(site), device.shown["user_code"])

    again = browser.send(page, decision="allow")

    assert again.status_code == 422
    assert device.error() == "authorization_pending"
    assert "Your device is connected" in browser.send(again, decision="allow", same_code="y").text


def test_a_device_that_was_allowed_before_is_asked_about_again(site, device, browser):
    person = make_user(site)
    connect(browser, person, device.shown["user_code"])

    device.ask()

    assert 'id="allow"' in question(browser, person, device.shown["user_code"]).text


def test_a_decision_is_final(site, device, browser):
    page = question(browser, make_user(site), device.shown["user_code"])
    browser.deny(page)

    again = browser.send(page, decision="allow", same_code="yes")

    assert "The device is not connected" in again.text
    assert device.error() == "access_denied"
    assert type_code(browser, device.shown["user_code"]).status_code == 422


def test_the_answer_of_a_session_that_did_not_see_the_page_is_not_taken(site, device, browser):
    page = question(browser, make_user(site), device.shown["user_code"])
    browser.log_in(
        browser.go(f"/login?request_id={page.url.path.rpartition('/')[2]}"), make_user(site)
    )

    asked = browser.send(page, decision="allow", same_code="yes")

    assert "Is this your device?" in asked.text
    assert device.error() == "authorization_pending"


def test_the_question_belongs_to_the_browser_in_which_the_code_was_typed_last(
    site, device, browser
):
    person = make_user(site)
    page = question(browser, person, device.shown["user_code"])
    other = Browser(site.browser(), site.issuer)

    stranger = other.go(page.url.path)
    taken = connect(other, person, device.shown["user_code"])
    late = browser.send(page, decision="deny")

    assert stranger.status_code == 400
    assert "Your device is connected" in taken.text
    assert late.status_code == 400
    assert device.poll().status_code == 200


@pytest.mark.parametrize("address", ["nonsense", "018f0000-0000-7000-8000-000000000000"])
def test_an_address_of_no_request_is_an_error_page(browser, address):
    assert browser.go(f"/device/{address}").status_code == 400


def test_a_client_that_was_disabled_is_not_asked_about(site, device, browser):
    page = question(browser, make_user(site), device.shown["user_code"])
    with site.db() as db:
        clients.change(db, device.app.client_id, disabled_at=site.clock.now)

    assert browser.send(page, decision="allow", same_code="yes").status_code == 400
    assert browser.go(page.url.path).status_code == 400


def test_wrong_codes_are_throttled_and_right_ones_with_them(site, device, browser):
    """RFC 8628 §5.1."""
    for _ in range(5):
        assert type_code(browser, WRONG).status_code == 422

    refused = type_code(browser, device.shown["user_code"])
    from_another = type_code(Browser(site.browser(), site.issuer), device.shown["user_code"])

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert from_another.status_code == 429


def test_the_addresses_of_one_subscriber_share_the_guesses(site, device):
    """IPv6 gives everybody a /64 to choose from."""
    answers = []
    for host in range(1, 7):
        guesser = Browser(site.browser(f"2001:db8:1:2::{host:x}"), site.issuer)
        answers.append(type_code(guesser, WRONG).status_code)
    elsewhere = Browser(site.browser("2001:db8:1:3::1"), site.issuer)

    assert answers == [422] * 5 + [429]
    assert type_code(elsewhere, WRONG).status_code == 422


def test_a_code_of_ones_own_buys_no_further_guesses(site, device, browser):
    for _ in range(4):
        type_code(browser, WRONG)
    assert 'id="sign-in"' in type_code(browser, device.shown["user_code"]).text

    assert type_code(browser, WRONG).status_code == 422
    assert type_code(browser, WRONG).status_code == 429


def test_right_codes_are_never_counted(site, device, browser):
    person = make_user(site)

    for _ in range(12):
        device.ask()
        assert "connected" in connect(browser, person, device.shown["user_code"]).text


def test_somebody_who_is_signed_in_does_not_wait_for_the_guesses_of_others(site, device, browser):
    for _ in range(6):
        type_code(browser, WRONG)
    other = Browser(site.browser(), site.issuer)
    other.log_in(other.go("/login"), make_user(site))

    assert "Is this your device?" in type_code(other, device.shown["user_code"]).text


def test_the_audit_log_tells_of_guesses_and_decisions(site, device, browser):
    person = make_user(site)
    type_code(browser, WRONG)
    connect(browser, person, device.shown["user_code"])
    device.ask()
    browser.deny(question(browser, person, device.shown["user_code"]))

    assert {event for event in events(site) if event.startswith("device.")} == {
        "device.user_code_refused",
        "device.approved",
        "device.denied",
    }


def test_no_code_stands_in_the_database_in_clear(site, device):
    with site.db() as db:
        [row] = db.session.connection().exec_driver_sql("SELECT * FROM device_codes").all()

    stored = b" ".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for value in row
    )
    assert device.shown["device_code"].encode() not in stored
    assert device.shown["user_code"].encode() not in stored
    assert device.shown["user_code"].replace("-", "").encode() not in stored


def test_no_device_gets_in_by_a_session_that_is_being_ended(site, device, browser):
    person = make_user(site)
    page = question(browser, person, device.shown["user_code"])

    with site.db() as db:
        endings.disown(db, person.id, site.clock.now, site.clock.now)
        allow = held_up(lambda: browser.send(page, decision="allow", same_code="yes"))
    allow()

    assert device.error() == "authorization_pending"


def test_a_device_that_is_just_being_refused_is_refused_once(site, device, browser):
    person = make_user(site)
    page = question(browser, person, device.shown["user_code"])

    with site.db() as db:
        row = db.session.scalars(select(DeviceCode)).one()
        names = DeviceRequest.__dataclass_fields__
        asked = DeviceRequest(**{name: getattr(row, name) for name in names})
        assert device_codes.deny(db, asked, site.clock.now)
        deny = held_up(lambda: browser.send(page, decision="deny"))
    deny()

    assert "device.denied" not in events(site)
