"""OpenID Connect Core §3.1.2.1: prompt, max_age, POST, and request objects."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import Answer, RelyingParty, signed_in
from tests.site import Site


def link(page: Any, name: str) -> str:
    """The address behind the link with this id."""
    found = re.search(rf'<a[^>]*id="{name}"[^>]*href="([^"]*)"', page.text)
    assert found
    return unescape(found[1])


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

    page = browser.go(party.url(prompt="select_account"))
    page = browser.log_in(browser.go(link(page, "use-another")), other)
    claims = claims_of(party, party.read(browser.allow(page)))

    assert claims["sub"] == other.id


def test_whoever_is_signed_in_can_go_on_when_asked_to_choose(site: Site) -> None:
    party, browser, person, tokens = signed_in(site)
    site.clock.advance(1)

    page = browser.go(party.url(prompt="select_account"))
    assert person.username in page.text
    claims = claims_of(party, party.read(browser.send(page)))

    first = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["sub"] == person.id
    assert claims["auth_time"] == first["auth_time"]


def test_a_choice_counts_for_the_session_that_saw_the_page(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    site.clock.advance(1)
    page = browser.go(party.url(prompt="select_account"))
    browser.log_in(browser.go(link(page, "use-another")), make_user(site))

    again = browser.send(page)

    assert "code=" not in again.headers.get("location", "")


def test_prompt_create_leads_to_the_page_that_makes_an_account(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    site.clock.advance(1)

    page = browser.go(party.url(prompt="create"))
    page = browser.send(
        page,
        username="newcomer",
        email="newcomer@example.com",
        name="New Comer",
        password="a long enough passphrase",
    )
    tokens = party.redeem(party.read(browser.allow(page)).code).json()

    assert party.userinfo(tokens["access_token"]).json()["preferred_username"] == "newcomer"


def test_prompt_create_is_neither_offered_nor_taken_where_sign_up_is_closed(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(sign_up="closed")
    party = RelyingParty(site, make_client(site))

    answer = party.read(site.http.get(party.url(prompt="create")))

    offered = site.http.get("/.well-known/openid-configuration").json()["prompt_values_supported"]
    assert answer.error == "invalid_request"
    assert offered == ["consent", "login", "none", "select_account"]


def test_a_hint_of_the_person_who_is_signed_in_is_silent(site: Site) -> None:
    party, browser, person, tokens = signed_in(site)
    site.clock.advance(3600)  # an ID Token that has expired is a hint all the same

    answer = party.read(browser.go(party.url(prompt="none", id_token_hint=tokens["id_token"])))

    assert claims_of(party, answer)["sub"] == person.id


def test_a_hint_of_somebody_else_is_login_required_or_asks_for_them(site: Site) -> None:
    party, browser, person, tokens = signed_in(site)
    other = make_user(site)
    site.clock.advance(1)
    browser.log_in(browser.go(party.url(prompt="login")), other)
    site.clock.advance(1)
    hint = tokens["id_token"]

    silent = party.read(browser.go(party.url(prompt="none", id_token_hint=hint)))
    page = browser.go(party.url(id_token_hint=hint))
    wrong = party.read(browser.log_in(page, other))
    site.clock.advance(1)
    page = browser.go(party.url(id_token_hint=hint))
    assert "another account" in page.text
    right = party.read(browser.log_in(page, person))

    assert silent.error == "login_required"
    assert wrong.error == "login_required"
    assert claims_of(party, right)["sub"] == person.id


def test_a_hint_that_is_no_id_token_of_this_client_is_refused(site: Site) -> None:
    party, browser, _, tokens = signed_in(site)
    other = RelyingParty(site, make_client(site))
    head, _, signature = tokens["id_token"].split(".")
    forged = jwt.encode({"iss": site.issuer, "sub": "x", "aud": party.app.client_id}, "k" * 32)

    hints = [tokens["access_token"], f"{head}.e30.{signature}", forged, "a.b.c", "é"]
    answers = [party.read(browser.go(party.url(id_token_hint=hint))) for hint in hints]
    foreign = other.read(browser.go(other.url(id_token_hint=tokens["id_token"])))

    assert {answer.error for answer in (*answers, foreign)} == {"invalid_request"}


def test_hints_that_nobody_knows_are_passed_over(site: Site) -> None:
    party = RelyingParty(site, make_client(site))

    page = site.http.get(
        party.url(
            login_hint='<b>"{{ 7*7 }}',
            ui_locales="../../etc/passwd se " + "x-" * 5000,
            claims_locales="se",
            display="hologram",
            acr_values="1 2",
        ),
        follow_redirects=True,
    )

    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    assert "&lt;b&gt;&#34;{{ 7*7 }}" in page.text


def test_acr_values_are_a_wish_and_the_acr_that_was_reached_is_told(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    offered = site.http.get("/.well-known/openid-configuration").json()["acr_values_supported"]

    answer = party.read(browser.go(party.url(acr_values=" ".join(["urn:gold", *offered]))))

    assert claims_of(party, answer)["acr"] in offered


@pytest.mark.parametrize(("display", "policy"), [("popup", "unsafe-none"), ("page", "same-origin")])
def test_pages_in_a_pop_up_keep_the_tie_to_the_window_that_opened_them(
    site: Site, display: str, policy: str
) -> None:
    party = RelyingParty(site, make_client(site))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)

    login = browser.go(party.url(display=display))
    consent = browser.log_in(login, person)

    assert 'id="allow"' in consent.text
    assert [page.headers["cross-origin-opener-policy"] for page in (login, consent)] == [policy] * 2


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


def test_a_post_that_was_prepared_before_the_sign_in_asks_for_it_all_the_same(site: Site) -> None:
    party, person = RelyingParty(site, make_client(site)), make_user(site)
    browser = Browser(site.browser(), site.issuer)
    prepared = site.browser().post("/authorize", data=party.parameters(prompt="login"))
    site.clock.advance(60)
    party.authorize(browser, person)
    site.clock.advance(60)

    page = browser.go(prepared.headers["location"])

    assert 'id="sign-in"' in page.text
    assert party.read(browser.log_in(page, person)).error is None


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
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object"),
        ({"request_uri": "https://127.0.0.1:1/x"}, "invalid_request_uri"),
        ({"request": "x", "response_type": "token"}, "invalid_request_object"),
        ({"request": "x", "prompt": "none"}, "invalid_request_object"),
    ],
)
@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_section_6_bad_request_objects_are_refused_not_ignored(
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
