"""OpenID Connect Core §3.1.2.1: prompt, max_age, POST, and request objects."""

from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import Answer, RelyingParty, signed_in
from tests.site import Site


def claims_of(party: RelyingParty, answer: Answer) -> dict[str, Any]:
    token = party.redeem(answer.code).json()["id_token"]
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_prompt_none_without_a_session_is_login_required(site: Site) -> None:
    party = RelyingParty(site, make_client(site))

    answer = party.read(site.http.get(party.url(prompt="none", state="x" * 128)))

    assert answer.error == "login_required"
    assert answer.params["state"] == "x" * 128


def test_prompt_none_without_consent_is_consent_required(site: Site) -> None:
    _, browser, _, _ = signed_in(site)
    other = RelyingParty(site, make_client(site))

    answer = other.read(browser.go(other.url(prompt="none")))

    assert answer.error == "consent_required"


def test_prompt_none_with_both_is_silent_and_tells_the_first_sign_in(site: Site) -> None:
    party, browser, person, tokens = signed_in(site)
    first = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    site.clock.advance(100)

    claims = claims_of(party, party.read(browser.go(party.url(prompt="none"))))

    assert claims["sub"] == person.id
    assert claims["auth_time"] == first["auth_time"]
    assert claims["iat"] == first["iat"] + 100


def test_prompt_none_is_never_a_page(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    native = RelyingParty(site, make_client(site, "native"))
    site.clock.advance(10)

    answers = [
        party.read(browser.go(party.url(prompt="none", max_age="5"))),
        native.read(browser.go(native.url(prompt="none"))),
    ]

    assert [answer.error for answer in answers] == ["login_required", "consent_required"]


AGAIN: list[dict[str, str]] = [
    {"prompt": "login"},
    {"prompt": "select_account"},
    {"max_age": "1"},
    {"max_age": "0"},
]


@pytest.mark.parametrize("asked", AGAIN)
def test_signing_in_again_makes_a_new_auth_time(site: Site, asked: dict[str, str]) -> None:
    party, browser, person, tokens = signed_in(site)
    first = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    site.clock.advance(2)

    page = browser.go(party.url(**asked))
    assert 'id="sign-in"' in page.text
    answer = party.read(browser.log_in(page, person))

    claims = claims_of(party, answer)
    assert claims["auth_time"] == first["auth_time"] + 2
    assert claims["sid"] == first["sid"]


@pytest.mark.parametrize("asked", AGAIN)
def test_signing_in_again_cannot_be_stepped_over(site: Site, asked: dict[str, str]) -> None:
    party, browser, _, _ = signed_in(site)
    site.clock.advance(2)
    page = browser.go(party.url(**asked))
    request_id = page.url.params["request_id"]

    resumed = browser.go(f"/authorize/{request_id}")
    consent = browser.go(f"/consent/{request_id}")
    allowed = browser.allow(consent)

    assert 'id="sign-in"' in resumed.text
    assert 'id="sign-in"' in allowed.text


def test_an_age_that_is_young_enough_is_silent(site: Site) -> None:
    party, browser, _, tokens = signed_in(site)
    first = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    site.clock.advance(100)

    claims = claims_of(party, party.read(browser.go(party.url(max_age="10000"))))

    assert claims["auth_time"] == first["auth_time"]


def test_prompt_consent_asks_once_more_and_only_once(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    page = browser.go(party.url(prompt="consent"))
    answer = party.read(browser.allow(page))

    assert 'id="allow"' in page.text
    assert party.redeem(answer.code).status_code == 200


def test_another_person_can_sign_in_when_asked_to_choose(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    other = make_user(site)
    site.clock.advance(1)

    page = browser.log_in(browser.go(party.url(prompt="select_account")), other)
    claims = claims_of(party, party.read(browser.allow(page)))

    assert claims["sub"] == other.id


def test_a_post_from_a_foreign_site_is_resumed_by_get(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    foreign = {"origin": "https://app.example.net", "sec-fetch-site": "cross-site"}

    sent = browser.client.post("/authorize", data=party.parameters(), headers=foreign)
    assert sent.status_code == 303
    page = browser.go(sent.headers["location"])
    answer = party.read(browser.allow(browser.log_in(page, person)))

    assert answer.params["state"] == party.state
    assert claims_of(party, answer)["nonce"] == party.nonce


def test_a_post_finds_the_session_that_its_browser_has(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    sent = site.browser().post("/authorize", data=party.parameters())  # Lax: no cookies come along
    answer = party.read(browser.go(sent.headers["location"]))

    assert party.redeem(answer.code).status_code == 200


def test_a_post_may_be_split_between_address_and_body(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    values = party.parameters()
    address = urlencode({name: values.pop(name) for name in ("client_id", "scope")})

    sent = browser.client.post(f"/authorize?{address}", data=values)
    answer = party.read(browser.go(sent.headers["location"]))

    assert party.redeem(answer.code).status_code == 200


def test_a_post_belongs_to_the_first_browser_that_resumes_it(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    sent = site.browser().post("/authorize", data=party.parameters())
    first = Browser(site.browser(), site.issuer)
    first.go(sent.headers["location"])

    stolen = browser.go(sent.headers["location"])

    assert stolen.status_code == 400
    assert "location" not in stolen.headers


def test_a_request_waits_for_a_quarter_of_an_hour(site: Site) -> None:
    party, browser, person, _ = signed_in(site)
    site.clock.advance(1)
    page = browser.go(party.url(prompt="login"))
    site.clock.advance(15 * 60)

    late = browser.log_in(page, person)

    assert late.status_code == 400
    assert "location" not in late.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://127.0.0.1:1/x"}, "request_uri_not_supported"),
        ({"request": "x", "response_type": "token"}, "request_not_supported"),
        ({"request": "x", "prompt": "none"}, "request_not_supported"),
    ],
)
@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_section_6_request_objects_are_refused_not_ignored(
    site: Site, changes: dict[str, str], error: str, mode: str
) -> None:
    party, browser, _, _ = signed_in(site)

    answer = party.read(browser.go(party.url(response_mode=mode, **changes)))

    assert answer.error == error
    assert answer.params["state"] == party.state
    assert answer.params["iss"] == site.issuer


def test_a_login_hint_is_text_and_nothing_else(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    browser = Browser(site.browser(), site.issuer)

    page = browser.go(party.url(login_hint='"><script>alert({{7*7}})</script>'))

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "alert({{7*7}})" in page.text
