"""Getting an account back by mail, over HTTP, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from oidc_server.domain import endings, users
from oidc_server.domain.audit import AuditEvent
from oidc_server.domain.links import LinkRow
from tests.authentication.forms import (
    ask_for_reset,
    csrf,
    essence,
    is_signed_in,
    new_browser,
    post,
    post_to,
    sign_in,
    sign_up,
)
from tests.authentication.test_email_change import ask_to_change
from tests.browser import Page
from tests.factories import account_of, make_user
from tests.factors import second_step, someone_with_an_app
from tests.held_up import held_up
from tests.mails import link_in, read_mails
from tests.relying_party import signed_in

NEW = "another passphrase altogether"
MINUTE = timedelta(minutes=1)


def mailed_link(site, username):
    """Ask for a link, and read it in the mail; those before it are not looked at."""
    read_mails(site)
    ask_for_reset(new_browser(site), username)
    return link_in(read_mails(site)[-1])


def value_of(link):
    return link.partition("link=")[2]


def choose(browser, link, password=NEW):
    return browser.send(browser.go(link), password=password)


def test_a_mailed_link_gives_an_account_back(site):
    person, browser = make_user(site), new_browser(site)

    asked = ask_for_reset(browser, person.username)
    (mail,) = read_mails(site)
    page = browser.go(link_in(mail))
    done = browser.send(page, password=NEW)

    assert "Check your mail" in asked.text
    assert mail.to == person.email
    assert "Reset your password" in mail.subject
    assert person.username in page.text
    assert "Your password is changed" in done.text
    assert 'href="/login"' in done.text
    assert sign_in(new_browser(site), person.username, NEW).status_code == 303
    assert sign_in(new_browser(site), person.username).status_code == 401


def test_the_answer_does_not_tell_who_has_an_account(site):
    make_user(site, username="known", email="known@example.com")
    make_user(site, username="unverified", email="un@example.com", email_verified=False)
    make_user(site, username="disabled")
    with site.db() as db:
        endings.disable_user(db, account_of(db, "disabled").id, site.clock.now)
    read_mails(site)  # that it was disabled
    browser = new_browser(site)
    browser.client.get("/login")

    answers = {
        essence(ask_for_reset(browser, name), name)
        for name in (
            "known",
            "known@example.com",
            "nobody",
            "nobody@example.com",
            "unverified",
            "un@example.com",
            "disabled",
            "no such name can be",
        )
    }

    assert len(answers) == 1
    assert {mail.to for mail in read_mails(site)} == {"known@example.com"}


def test_the_mail_goes_to_the_address_of_the_account_not_to_the_one_typed(site):
    make_user(site, email="Ada@example.com")

    ask_for_reset(new_browser(site), "ada@EXAMPLE.com")

    assert [mail.to for mail in read_mails(site)] == ["Ada@example.com"]


def test_opening_the_link_uses_nothing_and_hides_it(site):
    """Mail scanners open links; addresses end up in logs and Referer headers."""
    link = mailed_link(site, make_user(site).username)

    for _ in range(3):
        scanner = new_browser(site)
        moved = scanner.client.get(link)
        assert moved.status_code == 303
        assert moved.headers["location"] == "/password-reset/new"
        assert moved.headers["referrer-policy"] in ("same-origin", "no-referrer")
        assert scanner.client.head(link).status_code == 303
        cookie = moved.headers.get_list("set-cookie")[0]
        assert cookie.startswith("__Host-link=")
        for attribute in ("HttpOnly", "Secure", "SameSite=Lax", "Max-Age="):
            assert attribute in cookie

    assert "Your password is changed" in choose(new_browser(site), link).text


def test_the_link_works_once(site):
    person = make_user(site)
    link = mailed_link(site, person.username)
    browser = new_browser(site)
    page = browser.go(link)
    browser.send(page, password=NEW)

    again = browser.send(page, password="a third passphrase, too late")

    assert again.status_code == 400
    assert "This link does not work" in again.text
    assert new_browser(site).go(link).status_code == 400
    assert sign_in(new_browser(site), person.username, NEW).status_code == 303


def test_the_link_ends_after_an_hour(site):
    person = make_user(site)
    link = mailed_link(site, person.username)
    browser = new_browser(site)
    page = browser.go(link)

    site.clock.advance(site.runtime.settings.link_lifetime)

    assert browser.send(page, password=NEW).status_code == 400
    assert new_browser(site).go(link).status_code == 400
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_of_many_who_use_one_link_at_once_one_sets_the_password(site):
    person = make_user(site)
    link = mailed_link(site, person.username)
    browsers = [new_browser(site) for _ in range(20)]
    pages = [browser.go(link) for browser in browsers]

    def send(number):
        answer = post(browsers[number], pages[number], password=f"passphrase number {number:03}")
        return answer.status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(send, range(20)))

    assert sorted(statuses) == [200] + [400] * 19
    winner = statuses.index(200)
    for number in (winner, (winner + 1) % 20):
        answer = sign_in(new_browser(site), person.username, f"passphrase number {number:03}")
        assert (answer.status_code == 303) == (number == winner)


def test_a_link_that_waits_for_the_account_holds_up_nobody_who_withdraws_it(site):
    person, browser = make_user(site), new_browser(site)
    page = browser.go(mailed_link(site, person.username))

    with site.db() as db:
        assert users.hold(db, person.id)  # as whoever changes the password
        choosing = held_up(lambda: post(browser, page, password=NEW))
        free = select(LinkRow).where(LinkRow.spent_at.is_(None)).with_for_update(nowait=True)
        assert person.id in {link.user_id for link in db.session.scalars(free)}
        endings.change_password(db, person.id, "another hash", site.clock.now)

    assert choosing().status_code == 400


def test_a_new_password_ends_everything_the_old_one_opened(site):
    """What somebody who knew the old password has left behind is worth nothing."""
    party, browser, person, tokens = signed_in(site)
    answer = party.authorize(browser, person, scope="openid offline_access")
    offline = party.redeem(answer.code).json()
    elsewhere = new_browser(site)
    sign_in(elsewhere, person.username)
    other_link = mailed_link(site, person.username)

    choose(new_browser(site), mailed_link(site, person.username))

    assert not is_signed_in(browser)
    assert not is_signed_in(elsewhere)
    for left_behind in (tokens, offline):
        assert party.userinfo(left_behind["access_token"]).status_code == 401
        refused = party.refresh(left_behind["refresh_token"])
        assert refused.json()["error"] == "invalid_grant"
    assert new_browser(site).go(other_link).status_code == 400


def test_the_owner_is_told_and_nobody_is_signed_in(site):
    person, browser = make_user(site), new_browser(site)

    choose(browser, mailed_link(site, person.username))

    assert not is_signed_in(browser)
    assert "link" not in {cookie.name for cookie in browser.client.cookies.jar if cookie.value}
    assert [(mail.to, "was changed" in mail.subject) for mail in read_mails(site)] == [
        (person.email, True)
    ]
    with site.db() as db:
        events = [event.event for event in db.session.scalars(select(AuditEvent))]
    assert sorted(events) == ["user.password_changed", "user.password_reset_asked"]


def test_a_new_password_spares_nobody_the_second_step(site):
    person, app = someone_with_an_app(site)
    browser = new_browser(site)

    page = browser.go(mailed_link(site, person.username))
    done = browser.send(page, password=NEW)
    step = sign_in(browser, person.username, NEW)

    assert "is changed" in done.text
    assert "/login/second-step/" in step.headers["location"]
    assert not is_signed_in(browser)
    shown = browser.client.get(step.headers["location"])
    assert second_step(browser, shown, app.code()).status_code == 303


def test_a_new_password_ends_the_wait_after_wrong_guesses(site):
    person = make_user(site)
    for _ in range(11):
        sign_in(new_browser(site), person.username, "a wrong guess")

    choose(new_browser(site), mailed_link(site, person.username))

    assert sign_in(new_browser(site), person.username, NEW).status_code == 303


@pytest.mark.parametrize(
    "forge",
    [
        lambda value: "",
        lambda value: "x",
        lambda value: value[:-1],
        lambda value: value.partition(".")[0],
        lambda value: value.replace(value[0], "f" if value[0] != "f" else "0", 1),
        lambda value: value + "; Domain=example.com",
        lambda value: "é" + value,
        lambda value: "x\r\nSet-Cookie: __Host-sid=planted",
        lambda value: "x" * 5000,
    ],
)
def test_a_forged_link_opens_nothing_and_gets_into_no_header(site, forge):
    person = make_user(site)
    forged = forge(value_of(mailed_link(site, person.username)))
    browser = new_browser(site)

    arrived = browser.client.get("/password-reset/new", params={"link": forged})
    shown = browser.go("/password-reset/new")
    sent = post_to(
        browser, "/password-reset/new", csrf_token=csrf(browser), link=forged, password=NEW
    )

    assert arrived.status_code in (303, 400)
    for cookie in arrived.headers.get_list("set-cookie"):
        assert cookie.startswith(("__Host-link=; ", "__Host-browser="))
    assert [shown.status_code, sent.status_code] == [400, 400]
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_a_link_for_another_purpose_sets_no_password(site):
    browser = new_browser(site)
    sign_up(browser, "ada")
    (mail,) = read_mails(site)
    value = value_of(link_in(mail))

    shown = browser.go(f"/password-reset/new?link={value}")
    sent = post_to(
        browser, "/password-reset/new", csrf_token=csrf(browser), link=value, password=NEW
    )

    assert [shown.status_code, sent.status_code] == [400, 400]
    assert sign_in(new_browser(site), "ada", NEW).status_code == 401


def test_no_password_is_set_without_the_mail(site):
    """The mail step cannot be skipped: asking for a link gives the browser nothing."""
    person, browser = make_user(site), new_browser(site)
    ask_for_reset(browser, person.username)

    shown = browser.go("/password-reset/new")
    sent = post_to(
        browser,
        "/password-reset/new",
        csrf_token=csrf(browser),
        username=person.username,
        user_id=person.id,
        password=NEW,
    )

    assert [shown.status_code, sent.status_code] == [400, 400]
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_a_link_sets_the_password_of_its_own_account_only(site):
    attacker, victim = make_user(site), make_user(site)
    browser = new_browser(site)
    page = browser.go(mailed_link(site, attacker.username))

    post(browser, page, username=victim.username, user_id=victim.id, password=NEW)

    assert sign_in(new_browser(site), victim.username).status_code == 303
    assert sign_in(new_browser(site), attacker.username, NEW).status_code == 303


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("", "Enter a password."),
        ("short", "This password is too short."),
        ("password1234567", "among the first that attackers try"),
        ("ada-lovelace-1815", "contains your name"),
    ],
)
def test_a_password_that_cannot_be_taken_does_not_use_the_link(site, password, told):
    make_user(site, username="ada-lovelace")
    browser = new_browser(site)
    page = browser.go(mailed_link(site, "ada-lovelace"))

    refused = browser.send(page, password=password)
    done = browser.send(refused, password=NEW)

    assert refused.status_code == 422
    assert told in refused.text
    assert "Your password is changed" in done.text


def test_an_account_is_not_mailed_more_often_than_it_helps(site):
    person, browser = make_user(site), new_browser(site)
    browser.client.get("/login")

    answers = [
        essence(ask_for_reset(browser, typed), typed)
        for typed in (person.username, person.email) * 4
    ]

    assert len(set(answers)) == 1
    assert len(read_mails(site)) == 5
    site.clock.advance(5 * MINUTE)
    ask_for_reset(browser, person.username)
    assert len(read_mails(site)) == 1


def test_a_stranger_who_asks_at_every_door_floods_no_mailbox(site):
    person, browser = make_user(site), new_browser(site)

    for number in range(8):
        assert sign_up(new_browser(site), f"eve{number}", email=person.email).status_code == 303
    for _ in range(8):
        assert ask_for_reset(browser, person.username).status_code == 200
    for number in range(8):
        assert sign_up(new_browser(site), f"mallory{number}", email=person.email).status_code == 303

    assert len([mail for mail in read_mails(site) if mail.to == person.email]) == 10


def test_no_other_mails_that_strangers_ask_for_keep_a_new_password_from_the_owner(site):
    owner, eve = make_user(site), make_user(site)
    for number in range(8):
        sign_up(new_browser(site), f"eve{number}", email=owner.email)
        ask_to_change(site, eve.id, owner.email)
    asked = [mail for mail in read_mails(site) if mail.to == owner.email]

    page = new_browser(site).go(mailed_link(site, owner.username))

    assert len(asked) == 10
    assert "Choose a new password" in page.text


def test_what_strangers_ask_for_does_not_keep_a_notice_from_the_owner(site):
    person, browser = make_user(site), new_browser(site)
    for number in range(8):
        sign_up(new_browser(site), f"eve{number}", email=person.email)
        ask_for_reset(browser, person.username)
    read_mails(site)

    with site.db() as db:
        endings.change_password(db, person.id, "a hash", site.clock.now)

    [mail] = read_mails(site)
    assert mail.subject == "Your ID: Your password was changed"


def test_an_account_disabled_meanwhile_is_not_given_back(site):
    person, browser = make_user(site), new_browser(site)
    page = browser.go(mailed_link(site, person.username))

    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    assert browser.send(page, password=NEW).status_code == 400


def test_nothing_typed_asks_again(site):
    answer = ask_for_reset(new_browser(site), "  ")

    assert answer.headers["location"] == "/password-reset"


def test_what_was_typed_is_shown_as_text(site):
    answer = ask_for_reset(new_browser(site), "<script>alert(1)</script>")

    assert "<script>alert" not in answer.text


def test_the_page_tells_password_managers_whose_password_it_is(site):
    person = make_user(site)
    page = new_browser(site).go(mailed_link(site, person.username))

    assert 'autocomplete="new-password"' in page.text
    assert f'name="username" value="{person.username}" autocomplete="username"' in page.text
    assert "link" in Page(page).hidden()
