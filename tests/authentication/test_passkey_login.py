"""Signing in with a passkey alone: who may, who may not, and what is told of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from oidc_server.domain import endings, passkeys, users
from oidc_server.domain.passkeys import Passkey
from oidc_server.security import passkeys as webauthn
from tests.authentication.forms import csrf, is_signed_in, new_browser, post_to, session_cookie
from tests.authentication.forms import sign_in as sign_in_with_password
from tests.authenticator import BE, BS, ORIGIN, UP, UV, Authenticator
from tests.browser import Browser, Page
from tests.factories import Person, make_user
from tests.relying_party import signed_in
from tests.site import Site
from tests.tokens import claims_of

PARTY = webauthn.RelyingParty("id.example.com", ORIGIN, "")


def enrolled(
    site: Site, person: Person, authenticator: Authenticator | None = None
) -> Authenticator:
    """A passkey of this person, made as they could have made it on another day."""
    authenticator = authenticator or Authenticator()
    with site.db() as db:
        handle = passkeys.handle_of(db, person.id)
        asked = webauthn.Person(handle, person.username, "")
        options = webauthn.creation_options(PARTY, asked, "Y2hhbGxlbmdl")
        answer = webauthn.read(authenticator.make(options))
        new = webauthn.verify_creation(PARTY, answer, alone=False)
        passkeys.enrol(db, person.id, new, "Laptop", site.clock.now)
    return authenticator


def options(browser: Browser, path: str = "/login/passkey/options") -> dict[str, Any]:
    answer = post_to(browser, path, csrf_token=csrf(browser))
    assert answer.status_code == 200, answer.text
    asked: dict[str, Any] = answer.json()
    return asked


def send(browser: Browser, credential: str, **fields: str) -> Response:
    return post_to(
        browser, "/login/passkey", csrf_token=csrf(browser), credential=credential, **fields
    )


def sign_in(browser: Browser, authenticator: Authenticator, **changes: Any) -> Response:
    return send(browser, authenticator.use(options(browser), **changes))


def passkey_of(site: Site, person: Person) -> Passkey:
    with site.db() as db:
        [found] = passkeys.list_of_user(db, person.id)
        return found


def test_a_passkey_signs_in_without_a_name(site: Site):
    person = make_user(site)
    authenticator = enrolled(site, person)
    browser = new_browser(site)

    asked = options(browser)
    answer = send(browser, authenticator.use(asked))

    assert (asked["allowCredentials"], asked["userVerification"]) == ([], "required")
    assert asked["rpId"] == "id.example.com"
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert is_signed_in(browser)
    assert person.username in browser.client.get("/account").text


def test_an_app_is_told_that_a_passkey_was_used(site: Site):
    party, browser, _, _ = signed_in(site)
    person = make_user(site)
    authenticator = enrolled(site, person, Authenticator(flags=UP | UV | BE | BS))
    site.clock.advance(timedelta(minutes=1))
    request_id = Page(browser.go(party.url(prompt="login"))).hidden(1)["request_id"]

    answer = send(browser, authenticator.use(options(browser)), request_id=request_id)
    told = party.read(browser.allow(browser.go(answer.headers["location"])))
    claims = claims_of(party.redeem(told.code).json()["id_token"])

    assert claims["sub"] == person.id
    assert (claims["acr"], sorted(claims["amr"])) == ("phr", ["mfa", "swk", "user"])


def test_a_challenge_works_once(site: Site):
    authenticator = enrolled(site, make_user(site))
    browser = new_browser(site)
    credential = authenticator.use(options(browser))
    assert send(browser, credential).status_code == 303
    browser.client.cookies.delete("__Host-sid")

    answer = send(browser, credential)

    assert answer.status_code == 401
    assert "took too long" in answer.text
    assert session_cookie(browser) is None


def test_a_challenge_is_used_up_by_an_answer_that_does_not_hold(site: Site):
    authenticator = enrolled(site, make_user(site))
    browser = new_browser(site)
    asked = options(browser)
    wrong = Authenticator(
        credential_id=authenticator.credential_id, handle=authenticator.handle
    ).use(asked)

    assert send(browser, wrong).status_code == 401
    assert send(browser, authenticator.use(asked)).status_code == 401


def test_a_challenge_is_over_after_five_minutes(site: Site):
    authenticator = enrolled(site, make_user(site))
    browser = new_browser(site)
    credential = authenticator.use(options(browser))

    site.clock.advance(timedelta(minutes=5))

    assert send(browser, credential).status_code == 401


def test_a_challenge_of_another_browser_or_of_ones_own_making_is_refused(site: Site):
    authenticator = enrolled(site, make_user(site))
    browser = new_browser(site)
    elsewhere = options(new_browser(site))

    assert send(browser, authenticator.use(elsewhere)).status_code == 401
    assert sign_in(browser, authenticator, client_data={"challenge": "QUFBQQ"}).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example.com"},
        {"origin": "https://id.example.com:444"},
        {"rp_id": "example.com"},
        {"flags": UV},
        {"flags": UP},
    ],
    ids=["origin", "port", "rp id", "nobody present", "person not verified"],
)
def test_an_answer_given_elsewhere_or_without_its_person_is_refused(site: Site, wrong):
    authenticator = enrolled(site, make_user(site))
    browser = new_browser(site)
    for name, value in wrong.items():
        setattr(authenticator, name, value)

    answer = sign_in(browser, authenticator)

    assert answer.status_code == 401
    assert "cannot be used" in answer.text
    assert session_cookie(browser) is None


def test_a_passkey_that_nobody_has_is_forgotten_by_the_browser(site: Site):
    browser = new_browser(site)

    answer = sign_in(browser, Authenticator())

    assert answer.status_code == 401
    assert "data-unknown-passkey=" in answer.text
    assert 'data-rp-id="id.example.com"' in answer.text


def test_a_passkey_with_the_handle_of_somebody_else_is_refused(site: Site):
    authenticator, other = enrolled(site, make_user(site)), enrolled(site, make_user(site))
    authenticator.handle = other.handle

    assert sign_in(new_browser(site), authenticator).status_code == 401


def test_a_count_that_does_not_grow_is_refused_and_flagged(site: Site):
    person = make_user(site)
    authenticator = enrolled(site, person)
    assert sign_in(new_browser(site), authenticator).status_code == 303
    authenticator.step = 0

    answer = sign_in(new_browser(site), authenticator)

    assert answer.status_code == 401
    assert passkey_of(site, person).regressed_at == site.clock.now
    authenticator.step = 1
    assert sign_in(new_browser(site), authenticator).status_code == 303


def test_a_copy_that_counts_behind_does_not_set_the_count_back(site: Site):
    authenticator = enrolled(site, make_user(site))
    authenticator.sign_count = 10
    assert sign_in(new_browser(site), authenticator).status_code == 303
    copy = Authenticator(
        credential_id=authenticator.credential_id,
        key=authenticator.key,
        handle=authenticator.handle,
        sign_count=-1,
    )

    assert sign_in(new_browser(site), copy).status_code == 401
    copy.sign_count = 4
    assert sign_in(new_browser(site), copy).status_code == 401


def test_a_synced_passkey_never_counts(site: Site):
    authenticator = enrolled(site, make_user(site), Authenticator(flags=UP | UV | BE, step=0))

    for _ in range(2):
        assert sign_in(new_browser(site), authenticator).status_code == 303


def test_a_disabled_person_is_not_let_in(site: Site):
    person = make_user(site)
    authenticator = enrolled(site, person)
    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    answer = sign_in(new_browser(site), authenticator)

    assert answer.status_code == 401
    assert "cannot be used" in answer.text


def test_guesses_at_the_password_do_not_keep_a_passkey_out(site: Site):
    person = make_user(site)
    authenticator = enrolled(site, person)
    stranger = new_browser(site)
    for _ in range(12):
        post_to(
            stranger,
            "/login",
            csrf_token=csrf(stranger),
            username=person.username,
            password="wrong",
        )

    assert sign_in(new_browser(site), authenticator).status_code == 303


@pytest.mark.parametrize("credential", ["", "{}", "[]", "x" * 33_000, json.dumps({"response": 1})])
def test_what_is_no_passkey_is_refused(site: Site, credential):
    assert send(new_browser(site), credential).status_code == 401


def test_options_are_given_to_our_own_pages_only(site: Site):
    browser = new_browser(site)
    token = csrf(browser)

    without = post_to(browser, "/login/passkey/options")
    foreign = browser.client.post(
        "/login/passkey/options",
        data={"csrf_token": token},
        headers={"origin": "https://evil.example.com", "sec-fetch-site": "cross-site"},
    )

    for answer in (without, foreign):
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"


def test_where_there_are_no_passkeys_the_page_does_not_speak_of_them(start_site):
    site = start_site(issuer="http://127.0.0.1:8000")
    browser = new_browser(site)

    page = browser.client.get("/login")

    assert "passkey" not in page.text
    assert post_to(browser, "/login/passkey/options", csrf_token=csrf(browser)).status_code == 404


@pytest.mark.parametrize("flags", [UP | UV, UP], ids=["alone", "after the password"])
def test_a_passkey_brings_back_an_account_that_waits_for_its_deletion(site: Site, flags: int):
    person, browser = make_user(site), new_browser(site)
    authenticator = enrolled(site, person, Authenticator(flags=flags))
    with site.db() as db:
        endings.schedule_deletion(db, person.id, site.clock.now, grace=timedelta(days=14))

    if flags & UV:
        answer = sign_in(browser, authenticator)
    else:
        step = sign_in_with_password(browser, person.username).headers["location"]
        asked = options(browser, f"{step}/passkey/options")
        fields = {"csrf_token": csrf(browser), "credential": authenticator.use(asked)}
        answer = post_to(browser, f"{step}/passkey", **fields)

    assert answer.status_code == 303, answer.text
    assert is_signed_in(browser)
    with site.db() as db:
        assert users.get(db, person.id).deletes_at is None


def test_a_passkey_does_not_bring_back_what_an_administrator_has_shut(site: Site):
    person = make_user(site)
    authenticator = enrolled(site, person)
    with site.db() as db:
        endings.schedule_deletion(db, person.id, site.clock.now, grace=timedelta(days=14))
        endings.disable_user(db, person.id, site.clock.now)

    assert sign_in(new_browser(site), authenticator).status_code == 401
