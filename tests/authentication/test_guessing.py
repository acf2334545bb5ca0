"""Guessing passwords at the doors that take one: one count per account, whatever the door."""

from datetime import timedelta

import pytest

from oidc_server.security.passwords import PasswordHasher
from tests.authentication.forms import csrf, essence, is_signed_in, new_browser, post_to, sign_in
from tests.factories import PASSWORD, make_client, make_user
from tests.relying_party import RelyingParty

WRONG = "not the password"


def guess_ten_times(site, username):
    browser = new_browser(site)
    assert {sign_in(browser, username, WRONG).status_code for _ in range(10)} == {401}


def test_after_ten_wrong_guesses_even_the_right_password_must_wait(site):
    person = make_user(site)
    guess_ten_times(site, person.username)

    answer = sign_in(new_browser(site), person.username)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "30"
    assert "Too many attempts in a row." in answer.text
    site.clock.advance(timedelta(seconds=30))
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_a_name_without_an_account_is_throttled_like_any_other(site):
    make_user(site, username="known")
    guess_ten_times(site, "known")
    guess_ten_times(site, "nobody")
    browser = new_browser(site)
    browser.client.get("/login")

    known = essence(sign_in(browser, "known"), "known")
    unknown = essence(sign_in(browser, "nobody"), "nobody")

    assert known == unknown
    assert known[0] == 429


def test_every_spelling_of_a_name_is_one_name(site):
    make_user(site, username="john", email="john@example.com")
    spellings = ["john", "John", " john ", "ⓙⓞⓗⓝ", "john@example.com", "JOHN@EXAMPLE.COM"]
    browser = new_browser(site)
    for spelling in (spellings * 2)[:10]:
        assert sign_in(browser, spelling, WRONG).status_code == 401

    assert {sign_in(browser, spelling).status_code for spelling in spellings} == {429}


@pytest.mark.parametrize(
    ("email", "guessed_at", "looked_at"),
    [
        ("{}@x.example", "{}@x.example", "{}@x\N{IDEOGRAPHIC FULL STOP}example"),
        ("{}@x.example", "{}@x\N{SOFT HYPHEN}.example", "{}@x.example"),
        ("{}@xn--4ca.example", "{}@xn--4ca.example", "{}@\xe4.example"),
        ("{}@x.example", "{}\N{FULLWIDTH COMMERCIAL AT}x.example", "{}@x.example"),
        ("{}i@x.example", "{}\N{LATIN SMALL LETTER DOTLESS I}@x.example", "{}i@x.example"),
    ],
)
def test_no_spelling_of_an_address_tells_whether_it_has_an_account(
    site, email, guessed_at, looked_at
):
    make_user(site, email=email.format("known"))

    answers = set()
    for name in ("known", "other"):
        guess_ten_times(site, guessed_at.format(name))
        answers.add(sign_in(new_browser(site), looked_at.format(name), WRONG).status_code)

    assert len(answers) == 1


def test_the_password_grant_shares_the_count_of_the_login_page(site):
    person = make_user(site)
    party = RelyingParty(site, make_client(site, grant_types=frozenset({"password"})))
    fields = {"grant_type": "password", "username": person.email, "scope": "openid"}
    for _ in range(5):
        assert sign_in(new_browser(site), person.username, WRONG).status_code == 401
        assert party.token(**fields, password=WRONG).json()["error"] == "invalid_grant"

    assert sign_in(new_browser(site), person.username).status_code == 429
    assert party.token(**fields, password=PASSWORD).status_code == 429
    site.clock.advance(timedelta(seconds=30))
    assert party.token(**fields, password=PASSWORD).status_code == 200


def test_an_attacker_cannot_keep_the_owner_out_of_a_browser_they_use(site):
    person, hers = make_user(site), new_browser(site)
    sign_in(hers, person.username)
    hers.client.cookies.delete("__Host-sid")
    attacker = new_browser(site)

    for _ in range(30):
        sign_in(attacker, person.username, WRONG)
        site.clock.advance(timedelta(minutes=1))

    assert sign_in(new_browser(site), person.username).status_code == 429
    assert sign_in(hers, person.username).status_code == 303
    assert is_signed_in(hers)


def test_success_on_an_own_account_buys_no_guesses_at_another(site):
    own, victim, attacker = make_user(site), make_user(site), new_browser(site)
    for _ in range(10):
        sign_in(attacker, victim.username, WRONG)
        sign_in(new_browser(site), own.username)

    assert sign_in(attacker, victim.username).status_code == 429


def test_an_overlong_password_is_refused_without_being_hashed(site, monkeypatch):
    person = make_user(site)
    verify, hashed = PasswordHasher.verify, []

    def counting(hasher: PasswordHasher, encoded: str, password: str) -> bool:
        hashed.append(password)
        return verify(hasher, encoded, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)

    long = sign_in(new_browser(site), person.username, "x" * 1025)
    empty = sign_in(new_browser(site), person.username, "")

    assert [long.status_code, empty.status_code, hashed] == [401, 401, []]
    assert sign_in(new_browser(site), person.username).status_code == 303
    assert hashed == [PASSWORD]


def test_failures_of_many_accounts_from_one_address_are_limited(start_site):
    site = start_site(rate_limits=True)
    browser = new_browser(site)
    token = csrf(browser)

    answers = [
        post_to(browser, "/login", csrf_token=token, username=f"victim{number}", password=WRONG)
        for number in range(32)
    ]

    assert [answer.status_code for answer in answers] == [401] * 30 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
