"""Making an account, over HTTP, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from oidc_server.domain import credentials, roles, users
from tests.authentication.forms import (
    csrf,
    essence,
    is_signed_in,
    new_browser,
    post,
    post_to,
    session_cookie,
    sign_in,
    sign_up,
)
from tests.factories import PASSWORD, make_client, make_user
from tests.mails import link_in, read_mails
from tests.relying_party import RelyingParty


def find(site, username):
    with site.db() as db:
        row = credentials.find_by_name(db, username)
        return row and users.get(db, row.id)


def test_a_free_username_signs_up_and_in_at_once(site):
    browser = new_browser(site)

    answer = sign_up(browser, "Ada", name="Ada Lovelace")

    assert answer.headers["location"] == "/account"
    assert is_signed_in(browser)
    user = find(site, "ada")
    assert (user.username, user.name, user.email) == ("Ada", "Ada Lovelace", "Ada@example.com")
    assert user.email_verified_at is None
    assert [(mail.to, "Confirm" in mail.subject) for mail in read_mails(site)] == [
        ("Ada@example.com", True)
    ]
    assert sign_in(new_browser(site), "ada").status_code == 303


def test_whoever_came_from_an_app_goes_back_to_it(site):
    browser, party = new_browser(site), RelyingParty(site, make_client(site))
    login = browser.go(party.url())
    page = browser.go(login.text.split('href="/sign-up')[1].split('"')[0].join(["/sign-up", ""]))

    consent = browser.send(page, username="ada", email="ada@example.com", password=PASSWORD)

    assert 'id="allow"' in consent.text
    assert party.redeem(party.read(browser.allow(consent)).code).status_code == 200


@pytest.mark.parametrize("wanted", ["ada", "ADA", " ada ", "ⓐⓓⓐ"])
def test_a_taken_username_is_told_honestly(site, wanted):
    make_user(site, username="ada")
    browser = new_browser(site)

    answer = sign_up(browser, wanted, email="new@example.com")

    assert answer.status_code == 409
    assert "This username is taken." in answer.text
    assert 'value="new@example.com"' in answer.text
    assert PASSWORD not in answer.text
    assert session_cookie(browser) is None
    assert read_mails(site) == []


def test_a_known_address_is_told_to_its_owner_and_not_to_the_form(site):
    owner = make_user(site, email="owner@example.com")

    known = sign_up(new_browser(site), "first", email="Owner@Example.com")
    unknown = sign_up(new_browser(site), "second", email="nobody@example.com")

    assert essence(known, "first") == essence(unknown, "second")
    assert known.status_code == 303
    to_owner, to_nobody = read_mails(site)
    assert to_owner.to == owner.email
    assert "You already have an account" in to_owner.subject
    assert to_nobody.to == "nobody@example.com"


def test_a_mail_about_a_known_address_goes_to_it_as_its_owner_wrote_it(site):
    """Two spellings that are one here may be two mailboxes, the second of them an attacker's."""
    make_user(site, email="Ada@example.com")

    sign_up(new_browser(site), "eve", email="ada@example.com")

    assert [mail.to for mail in read_mails(site)] == ["Ada@example.com"]


def test_an_address_of_somebody_else_opens_nothing_before_it_is_verified(site):
    sign_up(new_browser(site), "eve", email="victim@example.com")

    assert sign_in(new_browser(site), "victim@example.com").status_code == 401


def test_nobody_verifies_themselves_or_takes_a_role_by_asking(site):
    sign_up(
        new_browser(site),
        "eve",
        email_verified="true",
        email_verified_at="1",
        role="admin",
        roles="admin",
        id="00000000-0000-4000-8000-000000000000",
        disabled_at="",
    )

    user = find(site, "eve")
    assert user.email_verified_at is None
    assert user.id != "00000000-0000-4000-8000-000000000000"
    with site.db() as db:
        assert roles.roles_of(db, user.id) == {roles.USER}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("username", "", "Enter a username."),
        ("username", "two words", "This username has characters we cannot take."),
        ("username", "\N{CYRILLIC SMALL LETTER A}dmin", "too easily mistaken"),
        ("username", "x" * 65, "This username is too long."),
        ("email", "", "Enter your e-mail address."),
        ("email", "nowhere", "This e-mail address is not complete."),
        ("email", "a@example.com\r\nBcc: b@example.com", "This e-mail address is not complete."),
        ("name", "x" * 101, "This name is too long."),
        ("name", "a\N{RIGHT-TO-LEFT OVERRIDE}b", "This name has characters we cannot take."),
        ("password", "", "Enter a password."),
        ("password", "short", "This password is too short."),
        ("password", "x1" * 513, "This password is too long."),
        ("password", "password1234567", "among the first that attackers try"),
        ("password", "somebody somebody", "contains your name"),
        ("password", "a bell \a in a password", "cannot be typed"),
    ],
)
def test_what_cannot_be_taken_is_told_beside_its_field(site, field, value, told):
    browser = new_browser(site)

    answer = sign_up(browser, **{"username": "somebody", field: value})

    assert answer.status_code == 422
    assert told in answer.text
    assert f'href="#{field}"' in answer.text
    assert "<title>Error:" in answer.text.replace("\n", "")
    assert session_cookie(browser) is None
    assert find(site, "somebody") is None
    assert read_mails(site) == []


def test_everything_to_mend_is_told_at_once_and_what_was_typed_is_kept(site):
    answer = sign_up(new_browser(site), "two words", email="nowhere", name="Ada", password="x")

    assert "3 things to fix" in answer.text
    for value in ("two words", "nowhere", "Ada"):
        assert f'value="{value}"' in answer.text


@pytest.mark.parametrize("text", ["'; DROP TABLE users; --", "{{ 7*7 }}", "<b>x</b>", "%s %(x)s"])
def test_text_is_only_text(site, text):
    browser = new_browser(site)

    sign_up(browser, "ada", name=text)

    page = browser.client.get("/account").text
    assert find(site, "ada").name == text
    assert "49" not in page.split("Hello")[1].split("</h1>")[0]
    assert "<b>x</b>" not in page


@pytest.mark.parametrize("mode", ["invite", "closed"])
def test_where_sign_up_is_closed_there_is_no_form_and_no_way_around_it(start_site, mode):
    site = start_site(sign_up=mode)
    browser = new_browser(site)

    shown = browser.client.get("/sign-up")
    sent = post_to(
        browser,
        "/sign-up",
        csrf_token=csrf(browser),
        username="eve",
        email="eve@example.com",
        password=PASSWORD,
    )

    assert [shown.status_code, sent.status_code] == [403, 403]
    assert "by invitation" in shown.text
    assert find(site, "eve") is None
    assert "/sign-up" not in browser.client.get("/login").text


def test_of_twenty_who_want_one_name_at_once_one_gets_it(site):
    browsers = [new_browser(site) for _ in range(20)]
    pages = [browser.client.get("/sign-up") for browser in browsers]

    def send(number):
        fields = {"username": "wanted", "email": f"n{number}@example.com", "password": PASSWORD}
        return post(browsers[number], pages[number], **fields).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(send, range(20)))

    assert statuses == [303] + [409] * 19
    assert sum(is_signed_in(browser) for browser in browsers) == 1


def test_strangers_cannot_write_to_somebody_in_our_name(site):
    """Neither a name nor a user agent of the sender's choice goes to an address of theirs."""
    browser = new_browser(site)
    browser.client.headers["user-agent"] = "win at https://evil.example now (X11; Linux) Firefox/1"

    sign_up(browser, "eve", email="victim@example.com", name="You won, see https://evil.example")

    (mail,) = read_mails(site)
    assert "evil.example" not in f"{mail.text} {mail.html} {mail.subject}"
    assert "Firefox on Linux" in mail.text


def test_links_lead_to_our_issuer_whatever_the_request_says_of_our_host(start_site):
    site = start_site(trusted_hosts="evil.example")
    browser = new_browser(site)
    browser.client.headers.update(
        {
            "host": "evil.example",
            "x-forwarded-host": "evil.example",
            "forwarded": "host=evil.example",
        }
    )

    answer = sign_up(browser, "ada")

    assert answer.headers["location"] == "/account"
    assert link_in(read_mails(site)[0]).startswith("/verify-email?link=")


def test_the_fields_tell_password_managers_what_they_are(site):
    page = new_browser(site).client.get("/sign-up").text

    for attribute in (
        'autocomplete="username"',
        'autocomplete="email"',
        'autocomplete="name"',
        'autocomplete="new-password"',
        'passwordrules="minlength: 8;"',
    ):
        assert attribute in page
