"""RFC 8628: OAuth 2.0 Device Authorization Grant."""

import re

import pytest

from oidc_server.domain import device_codes, endings
from tests.browser import Browser
from tests.device.devices import DEVICE_CODE, GRANTS, Device, connect, question
from tests.factories import make_client, make_resource, make_user
from tests.held_up import held_up
from tests.tokens import claims_of


@pytest.fixture
def device(site):
    return Device(site, make_client(site, "native", redirect_uris=(), grant_types=GRANTS))


@pytest.fixture
def browser(site):
    return Browser(site.browser(), site.issuer)


def ask_wrongly(party, **fields):
    answer = party.post("/device_authorization", **fields)
    return answer.status_code, answer.json()["error"]


def test_a_device_is_told_its_codes_and_where_the_person_goes(site, device):
    """§3.2."""
    answer = device.post("/device_authorization", scope="openid")

    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert len(body.pop("device_code")) == 43
    user_code = body.pop("user_code")
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", user_code)
    assert body == {
        "verification_uri": f"{site.issuer}/device",
        "verification_uri_complete": f"{site.issuer}/device?user_code={user_code}",
        "expires_in": 600,
        "interval": 5,
    }


def test_the_metadata_tells_where_devices_ask(site):
    """§4."""
    document = site.http.get("/.well-known/openid-configuration").json()

    assert document["device_authorization_endpoint"] == f"{site.issuer}/device_authorization"
    assert DEVICE_CODE in document["grant_types_supported"]


def test_a_client_that_is_not_registered_for_it_gets_no_codes(site):
    """§3.1."""
    party = Device(site, make_client(site))

    assert ask_wrongly(party, scope="openid") == (400, "unauthorized_client")
    party.shown = {"device_code": "any"}
    assert party.error() == "unauthorized_client"


def test_a_confidential_client_proves_itself_at_both_endpoints(site):
    """§3.1, §3.4."""
    app = make_client(site, "web", redirect_uris=(), grant_types=GRANTS)
    device = Device(site, app)
    device.ask()
    form = {"client_id": app.client_id, "device_code": device.shown["device_code"]}

    asked = site.http.post("/device_authorization", data=form)
    polled = site.http.post("/token", data={**form, "grant_type": DEVICE_CODE})

    assert (asked.status_code, asked.json()["error"]) == (401, "invalid_client")
    assert (polled.status_code, polled.json()["error"]) == (401, "invalid_client")


def test_what_the_client_may_not_have_is_refused(device):
    """§3.1."""
    assert ask_wrongly(device, scope="payments") == (400, "invalid_scope")
    assert ask_wrongly(device, scope='open"id') == (400, "invalid_scope")
    assert ask_wrongly(device, resource="https://unknown.example") == (400, "invalid_target")


def test_a_person_allows_a_device_and_it_gets_tokens(site, device, browser):
    """§3.3 to §3.5."""
    person = make_user(site)
    device.ask(scope="openid profile offline_access")
    assert device.error() == "authorization_pending"

    page = connect(browser, person, device.shown["user_code"])
    site.clock.advance(5)
    answer = device.poll()

    assert "Your device is connected" in page.text
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert tokens["scope"] == "offline_access openid profile"
    assert device.userinfo(tokens["access_token"]).json()["sub"] == person.id
    assert device.refresh(tokens["refresh_token"]).status_code == 200


def test_tokens_of_a_device_tell_of_the_sign_in_but_belong_to_no_browser(site, device, browser):
    person = make_user(site)
    device.ask(scope="openid")
    signed_in_at = int(site.clock.now.timestamp())
    connect(browser, person, device.shown["user_code"])
    site.clock.advance(60)

    tokens = device.poll().json()
    browser.send(browser.go("/logout"))

    claims = claims_of(tokens["id_token"])
    assert claims["auth_time"] == signed_in_at
    assert claims["amr"] == ["pwd"]
    assert "sid" not in claims
    assert device.userinfo(tokens["access_token"]).status_code == 200


def test_a_device_code_is_spent_once(site, device, browser):
    device.ask()
    connect(browser, make_user(site), device.shown["user_code"])
    tokens = device.poll().json()

    assert device.error() == "invalid_grant"
    assert device.userinfo(tokens["access_token"]).status_code == 200


def test_a_device_that_polls_too_fast_has_to_wait_longer_each_time(site, device):
    """§3.5: five seconds more "for this and all subsequent requests"."""
    device.ask()
    assert device.error() == "authorization_pending"

    site.clock.advance(2)
    assert device.error() == "slow_down"
    site.clock.advance(6)
    assert device.error() == "slow_down"
    site.clock.advance(15)

    assert device.error() == "authorization_pending"


def test_a_device_that_asks_twice_at_once_is_told_to_slow_down_and_has_to(site, device):
    """§3.5: what the one request is told is not forgotten over the other."""
    device.ask()

    with site.db() as db:
        polled = device_codes.poll(db, device.shown["device_code"])
        assert polled is not None
        _ = db.session  # with which nothing is committed before the end
        assert device_codes.note_poll(db, polled, site.clock.now)
        asking = held_up(device.error)
    told = asking()
    site.clock.advance(6)

    assert told == "slow_down"
    assert device.error() == "slow_down"


def test_a_device_that_was_slowed_down_still_gets_its_tokens(site, device, browser):
    device.ask()
    device.poll()
    assert device.error() == "slow_down"

    connect(browser, make_user(site), device.shown["user_code"])

    assert device.poll().status_code == 200


def test_a_refused_device_is_told_so(site, device, browser):
    """§3.5."""
    device.ask()
    page = question(browser, make_user(site), device.shown["user_code"])

    shown = browser.deny(page)

    assert "The device is not connected" in shown.text
    assert device.error() == "access_denied"


def test_codes_expire(site, device, browser):
    """§3.5."""
    device.ask()
    approved = Device(site, device.app)
    approved.ask()
    connect(browser, make_user(site), approved.shown["user_code"])

    site.clock.advance(600)

    assert device.error() == "expired_token"
    assert approved.error() == "expired_token"
    page = browser.send(browser.go("/device"), user_code=device.shown["user_code"])
    assert page.status_code == 422


def test_the_device_code_of_another_client_is_as_good_as_none(site, device, browser):
    other = Device(site, make_client(site, "native", redirect_uris=(), grant_types=GRANTS))
    device.ask()
    connect(browser, make_user(site), device.shown["user_code"])
    other.shown = device.shown

    assert other.error() == "invalid_grant"
    assert other.error(device_code="guessed") == "invalid_grant"
    assert device.poll().status_code == 200


def test_a_user_code_is_no_device_code_and_neither_is_an_authorization_code(site, device, browser):
    device.ask()
    connect(browser, make_user(site), device.shown["user_code"])

    assert device.error(device_code=device.shown["user_code"]) == "invalid_grant"
    answer = device.token(
        grant_type="authorization_code", code=device.shown["device_code"], code_verifier="v" * 43
    )
    assert answer.status_code == 400


def test_a_poll_without_a_code_is_an_invalid_request(device):
    assert device.token(grant_type=DEVICE_CODE).json()["error"] == "invalid_request"


def test_whatever_ends_the_access_of_a_person_ends_an_approval_that_waits(site, device, browser):
    person = make_user(site)
    device.ask()
    connect(browser, person, device.shown["user_code"])

    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    assert device.error() == "invalid_grant"


def test_a_device_asks_for_an_audience(site, device, browser):
    """RFC 8707 §2."""
    api = make_resource(site, "https://api.example.net")
    device.ask(resource=api)
    connect(browser, make_user(site), device.shown["user_code"])

    assert device.error(resource="https://other.example.net") == "invalid_target"
    tokens = device.poll().json()

    assert claims_of(tokens["access_token"])["aud"] == api


def test_the_person_is_told_where_a_device_will_act(site, device, browser):
    """RFC 8707: as on the page for browsers, a resource that no scope tells of has its own line."""
    api = make_resource(site, "https://api.example.net")
    device.ask(resource=api)

    page = question(browser, make_user(site), device.shown["user_code"])

    assert f"Act for you at {api}" in page.text
