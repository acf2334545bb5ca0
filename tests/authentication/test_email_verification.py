"""Confirming an address by mail, over HTTP, on both databases."""

import re
from datetime import timedelta

from sqlalchemy import select

from oidc_server.domain import endings, users
from oidc_server.domain.links import LinkRow
from tests.authentication.forms import (
    ask_for_reset,
    csrf,
    new_browser,
    post_to,
    sign_in,
    sign_up,
)
from tests.browser import Page
from tests.factories import PASSWORD, account_of, make_user
from tests.held_up import held_up
from tests.mails import link_in, read_mails


def signed_up(site, username="ada", **changes):
    """A browser right after signing up, and the link in the mail that came of it."""
    browser = new_browser(site)
    assert sign_up(browser, username, **changes).status_code == 303
    mail = read_mails(site)[-1]
    return browser, link_in(mail)


def is_verified(site, username):
    with site.db() as db:
        return account_of(db, username).email_verified_at is not None


def resend(browser):
    return post_to(browser, "/verify-email/resend", csrf_token=csrf(browser))


def test_the_button_behind_the_link_confirms_the_address(site):
    browser, link = signed_up(site)

    page = browser.go(link)
    assert not is_verified(site, "ada")
    done = browser.send(page)

    assert "ada@example.com" in page.text
    assert "is confirmed" in done.text
    assert is_verified(site, "ada")
    assert sign_in(new_browser(site), "ADA@example.com").status_code == 303


def test_whoever_has_no_code_that_works_has_another_one_sent(site):
    browser, _ = signed_up(site)

    refused = browser.send(browser.go("/verify-email/code"), code="12345678")
    form = next(at for at, text in enumerate(Page(refused).forms) if "/verify-email/resend" in text)
    sent = browser.send(refused, form=form)
    codes = re.findall(r"\b\d{4} \d{4}\b", read_mails(site)[-1].text)
    done = browser.send(browser.go("/verify-email/code"), code=codes[0])

    assert refused.status_code == 422
    assert sent.status_code == 200
    assert "address is confirmed" in done.text
    assert is_verified(site, "ada")
    assert "/verify-email/resend" not in browser.go("/verify-email/code").text


def test_a_code_that_waits_for_the_account_holds_up_nobody_who_withdraws_it(site):
    browser, _ = signed_up(site)
    page = browser.go("/verify-email/code")

    with site.db() as db:
        user_id = account_of(db, "ada").id
        assert users.hold(db, user_id)
        typing = held_up(lambda: browser.send(page, code="123456"))
        free = select(LinkRow).where(LinkRow.user_id == user_id).with_for_update(nowait=True)
        assert len(db.session.scalars(free).all()) == 1
        endings.disable_user(db, user_id, site.clock.now)
    typing()

    assert not is_verified(site, "ada")


def test_another_browser_signs_in_first_and_comes_back_to_the_button(site):
    _, link = signed_up(site)
    phone = new_browser(site)

    page = phone.go(link)
    assert 'id="confirm"' not in page.text
    login = phone.go("/login?return_to=/verify-email&reason=login_again")
    back = phone.send(login, username="ada", password=PASSWORD)

    assert "is confirmed" in phone.send(back).text
    assert is_verified(site, "ada")


def test_nobody_confirms_an_account_that_they_cannot_sign_in_to(site):
    """Pre-hijacking: the account of a stranger who signed up with somebody else's address."""
    _, link = signed_up(site, "mallory", email="victim@example.com")
    victim, _ = signed_up(site, "victim", email="other@example.com")
    value = link.partition("link=")[2]

    page = victim.go(link)
    sent = post_to(victim, "/verify-email", csrf_token=csrf(victim), link=value)

    assert "Sign in as" in page.text
    assert sent.status_code == 403
    assert not is_verified(site, "mallory")


def test_a_confirmed_address_is_welcomed_and_an_unconfirmed_one_is_not(site):
    browser, link = signed_up(site)
    assert read_mails(site) == []

    browser.send(browser.go(link))

    (mail,) = read_mails(site)
    assert (mail.to, mail.subject) == ("ada@example.com", "Welcome to Your ID")
    assert "You sign in with it as ada" in mail.text


def test_opening_the_link_confirms_nothing(site):
    _, link = signed_up(site)

    for _ in range(3):
        new_browser(site).go(link)

    assert not is_verified(site, "ada")


def test_the_link_works_once_and_for_an_hour(site):
    browser, link = signed_up(site)
    page = browser.go(link)
    browser.send(page)

    assert browser.send(page).status_code == 400
    assert new_browser(site).go(link).status_code == 400

    eve, late = signed_up(site, "eve")
    site.clock.advance(site.runtime.settings.link_lifetime)
    assert eve.go(late).status_code == 400
    assert not is_verified(site, "eve")


def test_the_page_names_the_account_that_gets_the_address(site):
    """Somebody else may have signed up with it: its owner must see that it is not their account."""
    _, link = signed_up(site, "mallory", email="victim@example.com")

    page = new_browser(site).go(link)

    assert "mallory" in page.text
    assert "victim@example.com" in page.text


def test_an_address_is_confirmed_for_one_account_only(site):
    slow, first = signed_up(site, "first", email="shared@example.com")
    quick, second = signed_up(site, "second", email="Shared@example.com")
    quick.send(quick.go(second))

    late = slow.send(slow.go(first))

    assert late.status_code == 400
    assert is_verified(site, "second")
    assert not is_verified(site, "first")


def test_a_link_for_a_new_password_confirms_nothing(site):
    person = make_user(site)
    ask_for_reset(new_browser(site), person.username)
    mail = read_mails(site)[-1]
    value = link_in(mail).partition("link=")[2]
    browser, _ = signed_up(site)

    sent = post_to(browser, "/verify-email", csrf_token=csrf(browser), link=value)

    assert sent.status_code == 400
    assert browser.go(f"/verify-email?link={value}").status_code == 400


def test_the_mail_can_be_sent_again_but_not_all_the_time(site):
    browser, _ = signed_up(site)

    answers = {resend(browser).headers["location"] for _ in range(8)}

    assert answers == {"/account?notice=verification_sent"}
    mails = read_mails(site)
    assert len(mails) == 4
    browser.send(browser.go(link_in(mails[-1])))
    assert is_verified(site, "ada")
    assert resend(browser).headers["location"] == "/account?notice=email_verified"
    site.clock.advance(timedelta(days=1))
    assert [mail.subject for mail in read_mails(site)] == ["Welcome to Your ID"]


def test_many_accounts_cannot_flood_one_address(site):
    for number in range(8):
        sign_up(new_browser(site), f"flood{number}", email="victim@example.com")

    assert len(read_mails(site)) == 5


def test_only_whoever_is_signed_in_has_the_mail_sent_again(site):
    answer = resend(new_browser(site))

    assert answer.headers["location"] == "/login"
    assert read_mails(site) == []
