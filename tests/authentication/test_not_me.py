"""A sign-in that its owner did not do: the mail about it, and the way out."""

import pytest
from sqlalchemy import select

from oidc_server.domain import users
from oidc_server.domain.audit import AuditEvent
from tests.authentication.forms import is_signed_in, new_browser, post_to, sign_in, sign_up
from tests.authentication.test_passkey_login import enrolled
from tests.authentication.test_passkey_login import sign_in as sign_in_with
from tests.factories import PASSWORD, account_of, make_client, make_user
from tests.factors import add_authenticator
from tests.mails import link_in, read_mails
from tests.relying_party import RelyingParty

NEW = "another passphrase altogether"


def broken_into(site):
    """A person at home, an intruder who knows the password, and the mail about it."""
    person, owner, intruder = make_user(site), new_browser(site), new_browser(site)
    sign_in(owner, person.username)
    sign_in(intruder, person.username)
    (mail,) = read_mails(site)
    return person, owner, intruder, mail


def test_a_sign_in_from_a_new_browser_is_told_with_when_where_and_what_to_do(site):
    person, _, _, mail = broken_into(site)

    assert (mail.to, mail.subject) == (person.email, "Your ID: New sign-in to your account")
    for words in ("5 Jan 2026, 09:00 UTC", "From: testclient", "Was it not you?"):
        assert words in mail.text
    assert "This was not me" in mail.html
    assert link_in(mail).startswith("/not-me?link=")


def test_a_known_browser_and_the_first_one_of_an_account_cause_no_mail(site):
    person, browser = make_user(site), new_browser(site)
    for _ in range(3):
        sign_in(browser, person.username)
        browser.client.cookies.delete("__Host-sid")
    assert read_mails(site) == []

    browser.client.headers["user-agent"] = "Mozilla/5.0 (X11; Linux) Firefox/150.0"
    sign_in(browser, person.username)

    assert read_mails(site) == []


def test_the_browser_of_the_sign_up_is_known(site):
    home = new_browser(site)
    sign_up(home, "ada")
    with site.db() as db:
        users.verify_email(db, account_of(db, "ada").id, "ada@example.com", site.clock())
    read_mails(site)

    home.client.cookies.delete("__Host-sid")
    sign_in(home, "ada")
    assert read_mails(site) == []
    sign_in(new_browser(site), "ada")

    assert [mail.subject for mail in read_mails(site)] == ["Your ID: New sign-in to your account"]


def test_a_wrong_password_from_a_new_browser_causes_no_mail(site):
    person = make_user(site)
    sign_in(new_browser(site), person.username)

    sign_in(new_browser(site), person.username, "wrong")

    assert read_mails(site) == []


def test_opening_the_link_ends_nothing(site):
    _, owner, intruder, mail = broken_into(site)

    pages = [new_browser(site).go(link_in(mail)) for _ in range(3)]

    assert [page.status_code for page in pages] == [200] * 3
    assert not any("link=" in str(page.url) for page in pages)
    assert is_signed_in(owner)
    assert is_signed_in(intruder)


def test_the_button_puts_everybody_out_and_asks_for_a_new_password(site):
    person, owner, intruder, mail = broken_into(site)
    party = RelyingParty(site, make_client(site))
    tokens = party.redeem(party.read(intruder.allow(intruder.go(party.url()))).code).json()
    phone = new_browser(site)

    page = phone.send(phone.go(link_in(mail)))

    assert str(page.url).endswith("/password-reset/new")
    assert not is_signed_in(owner)
    assert not is_signed_in(intruder)
    assert sign_in(intruder, person.username).status_code == 401
    assert party.refresh(tokens["refresh_token"]).status_code == 400
    done = phone.send(page, password=NEW)
    assert "is changed" in done.text
    assert "look at your passkeys and second steps" in done.text  # what is older than the mail
    assert sign_in(owner, person.username, NEW).status_code == 303
    assert sign_in(intruder, person.username, PASSWORD).status_code == 401


def test_a_passkey_that_the_intruder_added_opens_nothing_and_an_earlier_one_does(site):
    person, owner = make_user(site), new_browser(site)
    earlier = enrolled(site, person)
    sign_in(owner, person.username)
    site.clock.advance(60)
    sign_in(new_browser(site), person.username)
    mail = read_mails(site)[-1]
    site.clock.advance(60)
    added = enrolled(site, person)
    phone = new_browser(site)

    phone.send(phone.go(link_in(mail)))

    assert sign_in_with(new_browser(site), added).status_code == 401
    assert sign_in_with(new_browser(site), earlier).status_code == 303


def test_after_the_button_every_browser_is_new(site):
    person, owner, _, mail = broken_into(site)
    phone = new_browser(site)
    phone.send(phone.send(phone.go(link_in(mail))), password=NEW)
    read_mails(site)

    sign_in(owner, person.username, NEW)

    assert "Your ID: New sign-in to your account" in [mail.subject for mail in read_mails(site)]


def test_the_link_works_once_and_for_a_week(site):
    _, _, _, mail = broken_into(site)
    browser = new_browser(site)
    page = browser.go(link_in(mail))
    browser.send(page)

    assert browser.send(page).status_code == 400
    assert new_browser(site).go(link_in(mail)).status_code == 400

    _, _, _, late = broken_into(site)
    site.clock.advance(7 * 86400)
    assert new_browser(site).go(link_in(late)).status_code == 400


def test_a_link_of_another_kind_closes_nothing(site):
    _, owner, intruder, mail = broken_into(site)
    value = link_in(mail).partition("link=")[2]
    browser = new_browser(site)
    page = browser.go(link_in(mail))

    forged = post_to(browser, "/password-reset/new", link=value, password=NEW)
    foreign = intruder.client.post("/not-me", data={"link": value})

    assert page.status_code == 200
    assert forged.status_code in (400, 403)
    assert foreign.status_code == 403
    assert is_signed_in(owner)


def test_a_notice_to_an_address_that_was_given_up_since_opens_no_new_password(site):
    person, _, intruder, mail = broken_into(site)
    with site.db() as db:
        users.get(db, person.id).email = "moved@example.com"
    browser = new_browser(site)

    page = browser.send(browser.go(link_in(mail)))

    assert str(page.url).endswith("/password-reset")
    assert not is_signed_in(intruder)


def test_the_audit_log_knows_of_it(site):
    person, _, _, mail = broken_into(site)
    browser = new_browser(site)

    browser.send(browser.go(link_in(mail)))

    with site.db() as db:
        found = db.session.scalars(
            select(AuditEvent.event).where(AuditEvent.user_id == person.id)
        ).all()
    assert "user.sign_in_disowned" in found


@pytest.mark.parametrize("value", ["", "x", "x.y", "a" * 5000])
def test_a_link_that_is_none_is_refused_in_words(site, value):
    page = new_browser(site).go(f"/not-me?link={value}")

    assert page.status_code == 400
    assert "This link does not work" in page.text


def test_a_second_step_that_the_intruder_added_does_not_keep_the_owner_out(site):
    person, owner, _, mail = broken_into(site)
    site.clock.advance(60)
    add_authenticator(site, person)
    phone = new_browser(site)

    phone.send(phone.send(phone.go(link_in(mail))), password=NEW)

    assert sign_in(owner, person.username, NEW).headers["location"] == "/account"
