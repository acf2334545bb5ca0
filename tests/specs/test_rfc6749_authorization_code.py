"""RFC 6749 §4.1.2, §4.1.3, §10.5: a code is short-lived, of one client, and good for once."""

import pytest

from tests.browser import Browser
from tests.factories import make_client, make_resource, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site


@pytest.mark.parametrize("seconds", [0, 1, 30, 3600])
def test_a_replayed_code_kills_what_it_bought(site: Site, seconds: int) -> None:
    party, browser, person, _ = signed_in(site)
    code = party.authorize(browser, person, scope="openid offline_access").code
    tokens = party.redeem(code).json()
    assert party.userinfo(tokens["access_token"]).status_code == 200

    site.clock.advance(seconds)
    replay = party.redeem(code)

    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.introspect(tokens["access_token"]) == {"active": False}
    assert party.introspect(tokens["refresh_token"]) == {"active": False}
    assert party.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_replay_kills_what_was_refreshed_since(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    code = party.read(browser.go(party.url())).code
    first = party.redeem(code).json()
    second = party.refresh(first["refresh_token"]).json()

    party.redeem(code)

    assert party.userinfo(second["access_token"]).status_code == 401
    assert party.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"


def test_other_grants_of_the_same_person_survive_a_replay(site: Site) -> None:
    party, browser, _, before = signed_in(site)
    code = party.read(browser.go(party.url())).code

    party.redeem(code)
    party.redeem(code)

    assert party.userinfo(before["access_token"]).status_code == 200


def test_another_client_can_neither_redeem_nor_harm_a_code(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    other = RelyingParty(site, make_client(site))
    code = party.read(browser.go(party.url())).code

    before = other.redeem(code, code_verifier=party.verifier)
    tokens = party.redeem(code)
    after = other.redeem(code, code_verifier=party.verifier)

    assert (before.status_code, before.json()["error"]) == (400, "invalid_grant")
    assert (after.status_code, after.json()["error"]) == (400, "invalid_grant")
    assert tokens.status_code == 200
    assert party.userinfo(tokens.json()["access_token"]).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400), (62, 400), (86_400, 400)])
def test_a_code_lasts_a_minute(site: Site, seconds: int, status: int) -> None:
    party, browser, _, _ = signed_in(site)
    code = party.read(browser.go(party.url())).code

    site.clock.advance(seconds)

    answer = party.redeem(code)
    assert answer.status_code == status
    assert answer.json().get("error") == (None if status == 200 else "invalid_grant")


NO_CODES = ("", "unknown", "x" * 43, "x" * 5000, "\u00e9", "a b", "'; DROP TABLE grants; --")


@pytest.mark.parametrize("code", NO_CODES)
def test_what_is_no_code_buys_nothing(site: Site, code: str) -> None:
    party = RelyingParty(site, make_client(site))

    answer = party.redeem(code)

    assert answer.status_code == 400
    assert answer.json()["error"] == ("invalid_grant" if code else "invalid_request")


def test_a_client_is_told_what_is_wrong_with_its_code(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    other = RelyingParty(site, make_client(site))
    code, late = (party.read(browser.go(party.url())).code for _ in range(2))
    party.redeem(code)
    foreign, used = other.redeem(code), party.redeem(code)
    site.clock.advance(60)

    answers = (foreign, party.redeem("x"), used, party.redeem(late))

    assert [answer.json()["error_description"] for answer in answers] == [
        "The code is unknown, or was given to another client.",
        "The code is unknown, or was given to another client.",
        "The code was used before.",
        "The code has expired.",
    ]


def test_other_secrets_of_ours_are_no_codes(site: Site) -> None:
    party, browser, _, tokens = signed_in(site)
    site.clock.advance(1)
    page = browser.go(party.url(prompt="login"))
    request_id = str(page.url).partition("request_id=")[2].partition("&")[0]
    assert request_id

    for secret in (tokens["refresh_token"], tokens["access_token"], request_id):
        assert party.redeem(secret).json()["error"] == "invalid_grant"
    assert party.refresh(party.read(browser.go(party.url())).code).status_code == 400


def test_a_client_without_the_grant_may_not_redeem(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    service = RelyingParty(site, make_client(site, "service"))
    code = party.read(browser.go(party.url())).code

    answer = service.redeem(code, redirect_uri=party.app.redirect_uri)

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert party.redeem(code).status_code == 200


def test_a_code_dies_with_the_sign_out(site: Site) -> None:
    party, browser, _, tokens = signed_in(site)
    code = party.read(browser.go(party.url())).code

    browser.go(f"/logout?id_token_hint={tokens['id_token']}")

    assert party.redeem(code).json()["error"] == "invalid_grant"


def test_rfc_8707_the_token_is_for_the_resource(site: Site) -> None:
    resource = make_resource(site, "https://api.example.net/", "read")
    other = make_resource(site, "https://other.example.net/")
    party = RelyingParty(site, make_client(site, scopes=("openid", "read")))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    asked = {"scope": "openid read", "resource": resource}

    tokens = party.redeem(party.authorize(browser, person, **asked).code).json()
    refused = party.redeem(party.authorize(browser, person, **asked).code, resource=other)

    assert party.introspect(tokens["access_token"])["aud"] == resource
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
