"""The login page, over HTTP, on both databases."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select

from oidc_server.domain import credentials, endings, user_sessions, users
from oidc_server.domain.audit import AuditEvent
from tests.authentication.forms import (
    essence,
    is_signed_in,
    new_browser,
    post,
    session_cookie,
    sign_in,
    signed_in_person,
)
from tests.browser import Page
from tests.factories import PASSWORD, account_of, make_client, make_user
from tests.held_up import held_up
from tests.relying_party import RelyingParty

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def begin(site, browser, **parameters):
    """Come from an app, a moment later; returns the login page."""
    site.clock.advance(SECOND)
    return browser.go(RelyingParty(site, make_client(site)).url(**parameters))


@pytest.mark.parametrize("spelling", ["username", "email"])
def test_one_signs_in_with_username_or_verified_address(site, spelling):
    person, browser = make_user(site), new_browser(site)

    answer = sign_in(browser, getattr(person, spelling).upper())

    assert answer.status_code == 303
    assert answer.headers["location"] == "/account"
    assert is_signed_in(browser)


def test_every_refusal_is_the_same_before_the_password_is_proven(site):
    make_user(site, username="known")
    make_user(site, username="disabled")
    make_user(site, username="unverified", email="un@example.com", email_verified=False)
    with site.db() as db:
        endings.disable_user(db, account_of(db, "disabled").id, site.clock.now)
        users.create(
            db,
            username="passwordless",
            email=None,
            name=None,
            password_hash=None,
            now=site.clock.now,
        )
    browser = new_browser(site)
    browser.client.get("/login")

    answers = {
        typed: essence(sign_in(browser, typed, password), typed)
        for typed, password in [
            ("known", "not the password"),
            ("nobody", PASSWORD),
            ("nobody@example.com", PASSWORD),
            ("disabled", PASSWORD),
            ("passwordless", PASSWORD),
            ("un@example.com", PASSWORD),
            ("no such name can be", PASSWORD),
        ]
    }

    assert answers["known"][0] == 401
    assert len(set(answers.values())) == 1
    assert not is_signed_in(browser)


def test_a_refused_sign_in_keeps_the_name_and_drops_the_password(site):
    browser = new_browser(site)

    answer = sign_in(browser, '"><script>alert(1)</script>', "a secret of mine")

    assert "&#34;&gt;&lt;script&gt;" in answer.text
    assert "<script>alert" not in answer.text
    assert "a secret of mine" not in answer.text
    assert "<title>Error:" in answer.text.replace("\n", "")


def test_the_session_cookie_after_signing_in_is_not_the_one_before(site):
    """Session fixation: what was planted before is worth nothing after."""
    person, browser = make_user(site), new_browser(site)
    browser.client.cookies.set("__Host-sid", "planted", domain="id.example.com", path="/")

    sign_in(browser, person.username)
    first = session_cookie(browser)
    page = begin(site, browser, prompt="login")
    post(browser, page, username=person.username, password=person.password)
    second = session_cookie(browser)

    assert len({"planted", first, second}) == 3
    replay = new_browser(site)
    replay.client.cookies.set("__Host-sid", str(first), domain="id.example.com", path="/")
    assert not is_signed_in(replay)


def test_every_cookie_is_host_bound_and_out_of_reach_of_scripts(site):
    person, browser = make_user(site), new_browser(site)

    page = browser.client.get("/login")
    answer = post(browser, page, username=person.username, password=person.password)

    cookies = page.headers.get_list("set-cookie") + answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        for attribute in ("Path=/", "HttpOnly", "SameSite=Lax", "Secure"):
            assert f"; {attribute}" in cookie
        assert "domain" not in cookie.lower()


def test_two_cookies_of_one_name_count_as_none(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    tossed = f"__Host-sid=planted; __Host-sid={session_cookie(browser)}"

    answer = site.browser().get("/account", headers={"cookie": tossed})

    assert answer.status_code == 303


def test_whoever_is_signed_in_goes_on_to_the_account(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)

    assert browser.client.get("/login").headers["location"] == "/account"


def test_an_app_is_named_and_may_say_who_is_expected(site):
    browser = new_browser(site)

    page = begin(site, browser, login_hint="ada@example.com")

    assert "Ledger" in page.text
    assert 'value="ada@example.com"' in page.text
    assert "https://app.example.net" in page.headers["content-security-policy"]


def test_signing_in_again_says_so_and_proposes_who_was_there(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)

    page = begin(site, browser, prompt="login")

    assert "once more" in page.text
    assert f'value="{person.username}"' in page.text


def test_who_signs_in_again_while_their_session_is_being_ended_gets_another(site):
    person, browser = signed_in_person(site)
    page = browser.go("/login?reason=login_again")

    with site.db() as db:
        [session_id] = user_sessions.live_of_user(db, person.id)
        endings.end_session(db, session_id, site.clock.now)
        signing_in = held_up(lambda: browser.log_in(page, person))
    signing_in()

    assert is_signed_in(browser)


def test_another_person_at_the_same_browser_gets_a_session_of_their_own(site):
    first, second, browser = make_user(site), make_user(site), new_browser(site)
    sign_in(browser, first.username)
    before = session_cookie(browser)

    page = begin(site, browser, prompt="login")
    browser.log_in(page, second)

    assert second.username in browser.client.get("/account").text
    old = new_browser(site)
    old.client.cookies.set("__Host-sid", str(before), domain="id.example.com", path="/")
    assert not is_signed_in(old)


@pytest.mark.parametrize(
    "request_id", ["x", "", "0194a2f0-0000-7000-8000-000000000000", "' OR 1=1 --"]
)
def test_a_request_that_does_not_exist_gets_a_page_with_a_way_on(site, request_id):
    answer = new_browser(site).client.get(f"/login?request_id={quote(request_id)}")

    assert answer.status_code == (400 if request_id else 200)
    assert "location" not in answer.headers
    if request_id:
        assert "This sign-in is over" in answer.text
        assert 'href="/"' in answer.text


def test_a_request_that_is_over_is_not_answered_with_a_session(site):
    person, browser = make_user(site), new_browser(site)
    page = begin(site, browser)
    site.clock.advance(site.runtime.settings.authorization_request_lifetime)

    answers = [browser.log_in(page, person) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {400}
    assert "This sign-in is over" in answers[-1].text
    assert not is_signed_in(browser)
    assert sign_in(browser, person.username).status_code == 303  # nothing was counted


def test_a_request_of_another_browser_is_not_shown(site):
    victim, attacker = new_browser(site), new_browser(site)
    page = begin(site, attacker)
    request_id = Page(page).hidden()["request_id"]

    answer = victim.client.get(f"/login?request_id={request_id}")

    assert answer.status_code == 400


def test_a_form_from_another_place_signs_nobody_in(site):
    person, browser = make_user(site), new_browser(site)
    fields = {**Page(browser.client.get("/login")).hidden(), "username": person.username}
    fields["password"] = person.password

    crossing = browser.client.post("/login", data=fields, headers={"sec-fetch-site": "cross-site"})
    foreign = browser.client.post("/login", data=fields, headers={"origin": "https://evil.example"})
    without = browser.client.post("/login", data={**fields, "csrf_token": ""})
    others = new_browser(site).client.post("/login", data=fields)

    assert {answer.status_code for answer in (crossing, foreign, without, others)} == {403}
    assert not is_signed_in(browser)


def test_a_form_of_another_name_of_this_machine_is_told_the_address_that_works(site):
    browser = new_browser(site)
    fields = Page(browser.client.get("/login")).hidden()

    told = browser.client.post("/login", data=fields, headers={"origin": "http://127.0.0.1:8000"})

    assert told.status_code == 403
    assert "The form came from another address" in told.text
    assert f"No page at {site.issuer} has sent it" in told.text
    assert f'href="{site.issuer}/login">Open the page<' in told.text


def test_a_form_of_another_site_is_not_told_that_it_has_expired(site):
    sent = new_browser(site).client.post("/login", headers={"sec-fetch-site": "cross-site"})

    assert sent.status_code == 403
    assert "The form came from another address" in sent.text


def test_a_form_that_is_too_old_leads_back_to_its_page_and_the_app(site):
    party, browser = RelyingParty(site, make_client(site)), new_browser(site)
    person, page = make_user(site), browser.go(party.url())

    old = browser.send(page, csrf_token="old")
    [page_again] = re.findall(r'href="([^"]+)">Load the page again<', old.text)
    consent = browser.log_in(browser.go(page_again), person)

    assert old.status_code == 403
    assert "This page has expired" in old.text
    assert browser.allow(consent).headers["location"].startswith(party.app.redirect_uri)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"username=ada&username=eve&password=x", 400),
        (b"username=a%00da&password=x", 400),
        (b"username=%ff&password=x", 400),
        (b"username=%ed%a0%80&password=x", 400),
        (b"username=ada&password=" + b"x" * 100_000, 413),
    ],
)
def test_what_is_no_form_is_refused(site, body, status):
    browser = new_browser(site)
    token = Page(browser.client.get("/login")).hidden()["csrf_token"].encode()

    answer = browser.client.post(
        "/login",
        content=b"csrf_token=" + token + b"&" + body,
        headers={"content-type": "application/x-www-form-urlencoded", "origin": site.issuer},
    )

    assert answer.status_code == status


@pytest.mark.parametrize(
    "password",
    [
        "a password that is  spaced ",
        "пароль из нескольких слов",
        "🐎🔋📎 correct horse battery",
        "x1y2" * 64,
        "Zoe\N{COMBINING DIAERESIS} likes long passwords",
    ],
)
def test_a_password_is_taken_whole_and_as_it_is(site, password):
    person = make_user(site, password=password)

    assert sign_in(new_browser(site), person.username, password).status_code == 303
    assert sign_in(new_browser(site), person.username, password.strip()[:-1]).status_code == 401
    assert sign_in(new_browser(site), person.username, password[:72]).status_code == (
        303 if len(password) <= 72 else 401
    )


def test_one_password_typed_on_two_keyboards_is_one(site):
    person = make_user(site, password="Zoe\N{COMBINING DIAERESIS} likes passphrases")

    answer = sign_in(new_browser(site), person.username, "Zoë likes passphrases")

    assert answer.status_code == 303


def test_a_hash_of_former_costs_is_replaced_at_the_next_sign_in(site):
    person = make_user(site)
    weak = site.runtime.passwords.__class__(time_cost=2, memory_kib=64, parallelism=1)
    with site.db() as db:
        former = users.get(db, person.id).password_hash
        old = weak.hash(person.password)
        credentials.rehash(db, person.id, seen=str(former), better=old)

    assert sign_in(new_browser(site), person.username).status_code == 303

    with site.db() as db:
        now = str(users.get(db, person.id).password_hash)
    assert now != old
    assert not site.runtime.passwords.needs_rehash(now)
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_a_disabled_person_is_out_at_the_next_request(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)

    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    assert not is_signed_in(browser)


def test_a_session_ends_when_unused_and_in_any_case(site):
    person, idle, busy = make_user(site), new_browser(site), new_browser(site)
    sign_in(idle, person.username)
    sign_in(busy, person.username)
    step = site.runtime.settings.session_idle_lifetime - MINUTE
    steps = site.runtime.settings.session_absolute_lifetime // step

    site.clock.advance(step)
    assert is_signed_in(busy)
    site.clock.advance(step)
    assert not is_signed_in(idle)

    for _ in range(steps - 2):
        assert is_signed_in(busy)
        site.clock.advance(step)
    assert is_signed_in(busy)
    site.clock.advance(step)
    assert not is_signed_in(busy)


def test_signing_in_and_failing_to_are_both_on_record_without_the_password(site):
    person = make_user(site)
    for username, password in [
        (person.username, "a wrong password"),
        ("typed my password here by mistake", "x"),
        (person.username, person.password),
    ]:
        sign_in(new_browser(site), username, password)
        site.clock.advance(SECOND)

    with site.db() as db:
        events = list(db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)))
        told = [(event.event, event.user_id, event.detail.get("reason")) for event in events]
    assert told == [
        ("sign_in.failed", person.id, "wrong_password"),
        ("sign_in.failed", None, "unknown_user"),
        ("sign_in.succeeded", person.id, None),
    ]
    assert "mistake" not in repr([event.detail for event in events])


def test_the_fields_tell_password_managers_what_they_are(site):
    page = new_browser(site).client.get("/login").text

    assert 'autocomplete="username webauthn"' in page
    assert 'autocomplete="current-password"' in page
    assert 'id="sign-in"' in page
    assert "onpaste" not in page
