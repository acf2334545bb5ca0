"""Another address: proved by link or code, told to the old one, and taken back from there."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from oidc_server.domain import factors, links, users
from oidc_server.domain.factors import recovery_codes
from oidc_server.domain.links import Purpose
from oidc_server.people import email_addresses
from oidc_server.web.context import Context
from oidc_server.web.incoming import Incoming
from tests.authentication.forms import (
    csrf,
    is_signed_in,
    new_browser,
    post_to,
    sign_in,
    sign_up,
    signed_in_browser,
)
from tests.authentication.test_passkey_login import enrolled
from tests.authentication.test_passkey_login import sign_in as sign_in_with
from tests.factories import PASSWORD, account_of, make_user
from tests.factors import add_authenticator, add_recovery_codes
from tests.mails import link_in, read_mails
from tests.relying_party import signed_in

_CODE = re.compile(r"^(\d{4} \d{4})$", re.MULTILINE)
NEW = "another passphrase altogether"
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [],
    "client": ("192.0.2.9", 1),
}


def ask_to_change(site, user_id, email):
    with site.db() as db:
        ctx = Context(Incoming(dict(SCOPE)), site.runtime, "ref", db=db)
        email_addresses.ask_to_change(ctx, user_id, email)


def code_in(mail):
    found = _CODE.search(mail.text)
    assert found is not None, mail.text
    assert found[1] in mail.html
    return found[1]


def value_in(mail):
    """What the button behind the link of a mail posts."""
    return parse_qs(urlsplit(link_in(mail)).query)["link"][0]


def address_of(site, user_id):
    with site.db() as db:
        user = users.get(db, user_id)
        return user.email, user.email_verified_at is not None


def changed(site, **person):
    """Somebody who has just got another address, and the mail about it to the old one."""
    who = make_user(site, **person)
    ask_to_change(site, who.id, "new@example.com")
    (mail,) = read_mails(site)
    confirm(signed_in_browser(site, who), mail)
    (notice,) = read_mails(site)
    return who, notice


def confirm(browser, mail):
    """The answer to the button behind the link."""
    return browser.send(browser.go(link_in(mail)))


def type_code(browser, code):
    return post_to(browser, "/verify-email/code", csrf_token=csrf(browser), code=code)


def test_the_address_changes_when_the_new_one_is_proved_and_not_before(site):
    person = make_user(site)
    ask_to_change(site, person.id, "New@Example.com")
    (mail,) = read_mails(site)
    browser = signed_in_browser(site, person)

    page = browser.go(link_in(mail))
    before = address_of(site, person.id)
    done = browser.send(page)

    assert mail.to == "New@example.com"
    assert person.username in page.text
    assert before == (person.email, True)
    assert "is confirmed" in done.text
    assert address_of(site, person.id) == ("New@example.com", True)
    assert sign_in(new_browser(site), "new@example.com").status_code == 303
    assert sign_in(new_browser(site), person.email).status_code == 401
    assert browser.send(page).status_code == 400


def test_the_button_of_a_stranger_ties_no_address_to_an_account_they_do_not_hold(site):
    person = make_user(site)
    ask_to_change(site, person.id, "victim@example.com")
    (mail,) = read_mails(site)
    strangers = [new_browser(site), signed_in_browser(site, make_user(site))]

    pages = [browser.go(link_in(mail)) for browser in strangers]
    answers = [
        post_to(browser, "/change-email", csrf_token=csrf(browser), link=value_in(mail))
        for browser in strangers
    ]

    assert all("Sign in as" in page.text for page in pages)
    assert [answer.status_code for answer in answers] == [403, 403]
    assert address_of(site, person.id) == (person.email, True)
    assert "is confirmed" in confirm(signed_in_browser(site, person), mail).text


def test_only_the_latest_wish_counts(site):
    person = make_user(site)
    for name in ("first", "second"):
        ask_to_change(site, person.id, f"{name}@example.com")
    first, second = _live_links(site, person.id)

    assert (first, second) == (None, "second@example.com")


def _live_links(site, user_id):
    with site.db() as db:
        rows = db.session.query(links.LinkRow).filter_by(user_id=user_id).order_by("email")
        return [
            row.email if links.find(db, row.id, Purpose.CHANGE_EMAIL, site.clock.now) else None
            for row in rows
        ]


def test_the_code_of_the_mail_does_what_the_link_does(site):
    person = make_user(site)
    browser = new_browser(site)
    sign_in(browser, person.username)
    ask_to_change(site, person.id, "new@example.com")
    (mail,) = read_mails(site)

    answer = type_code(browser, code_in(mail).replace(" ", ""))

    assert answer.headers["location"] == "/account?notice=email_verified"
    assert address_of(site, person.id) == ("new@example.com", True)
    assert type_code(browser, code_in(mail)).status_code == 422


def test_an_address_is_verified_by_its_code(site):
    browser = new_browser(site)
    sign_up(browser, "ada")
    (mail,) = read_mails(site)

    assert type_code(browser, code_in(mail)).status_code == 303

    with site.db() as db:
        assert account_of(db, "ada").email_verified_at is not None


def test_a_code_may_be_guessed_at_five_times(site):
    browser = new_browser(site)
    sign_up(browser, "ada")
    (mail,) = read_mails(site)
    right = code_in(mail)
    wrong = f"{(int(right.replace(' ', '')) + 1) % 10**8:08}"

    guesses = [type_code(browser, code).status_code for code in (wrong, "", "x" * 19, "١٢", "0")]

    assert guesses == [422] * 5
    assert type_code(browser, right).status_code == 422
    again = post_to(browser, "/verify-email/resend", csrf_token=csrf(browser))
    assert again.status_code == 303
    (mail,) = read_mails(site)
    assert code_in(mail) != right
    assert type_code(browser, code_in(mail)).status_code == 303


def test_a_code_lives_ten_minutes_and_dies_with_the_next_mail(site):
    browser = new_browser(site)
    sign_up(browser, "ada")
    (first,) = read_mails(site)
    post_to(browser, "/verify-email/resend", csrf_token=csrf(browser))
    (second,) = read_mails(site)

    assert type_code(browser, code_in(first)).status_code == 422
    site.clock.advance(timedelta(minutes=10))
    assert type_code(browser, code_in(second)).status_code == 422
    assert new_browser(site).go(link_in(first)).status_code == 200


def test_a_code_is_for_the_account_that_asked(site):
    first, second = new_browser(site), new_browser(site)
    sign_up(first, "first")
    (mail,) = read_mails(site)
    sign_up(second, "second")

    assert type_code(second, code_in(mail)).status_code == 422
    assert type_code(new_browser(site), code_in(mail)).headers["location"] == "/login"
    assert type_code(first, code_in(mail)).status_code == 303


def test_an_address_of_somebody_else_is_told_to_them_alone(site):
    owner, person = make_user(site), make_user(site)

    ask_to_change(site, person.id, owner.email.upper())

    (mail,) = read_mails(site)
    assert (mail.to, "already" in mail.subject) == (owner.email, True)
    assert not _CODE.search(mail.text)


def test_an_address_that_somebody_verifies_first_is_theirs(site):
    person, other = make_user(site), make_user(site)
    ask_to_change(site, person.id, "shared@example.com")
    (first,) = read_mails(site)
    ask_to_change(site, other.id, "shared@example.com")
    (second,) = read_mails(site)
    late = signed_in_browser(site, other)
    page = late.go(link_in(second))
    confirm(signed_in_browser(site, person), first)

    assert late.send(page).status_code == 400
    assert address_of(site, person.id)[0] == "shared@example.com"
    assert address_of(site, other.id) == (other.email, True)


def test_the_old_address_is_told_and_not_what_the_new_one_is(site):
    person, notice = changed(site)

    assert notice.to == person.email
    assert "new@example.com" not in notice.text + notice.html
    assert "7 days" in notice.text


def test_an_address_that_was_never_verified_is_not_told(site):
    person = make_user(site, email_verified=False)
    ask_to_change(site, person.id, "new@example.com")
    (mail,) = read_mails(site)
    confirm(signed_in_browser(site, person), mail)

    assert address_of(site, person.id) == ("new@example.com", True)
    assert read_mails(site) == []


def test_the_old_address_takes_the_account_back_with_everything_behind_it(site):
    party, browser, person, tokens = signed_in(site)
    ask_to_change(site, person.id, "thief@example.com")
    (mail,) = read_mails(site)
    thief = signed_in_browser(site, person)
    read_mails(site)
    confirm(thief, mail)
    [notice] = [mail for mail in read_mails(site) if mail.to == person.email]
    owner = new_browser(site)

    page = owner.go(link_in(notice))
    assert is_signed_in(thief)
    choose = owner.send(page)

    assert address_of(site, person.id) == (person.email, True)
    assert not is_signed_in(thief)
    assert not is_signed_in(browser)
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.refresh(tokens["refresh_token"]).status_code == 400
    assert sign_in(new_browser(site), person.username, PASSWORD).status_code == 401
    owner.send(choose, password=NEW)
    assert sign_in(new_browser(site), person.email, NEW).status_code == 303
    assert owner.send(page).status_code == 400


def test_whoever_has_the_account_cannot_undo_it_after_its_owner_has(site):
    person, notice = changed(site)
    ask_to_change(site, person.id, "third@example.com")
    (mail,) = read_mails(site)
    site.clock.advance(1)
    thief = signed_in_browser(site, person)
    read_mails(site)
    confirm(thief, mail)
    (of_thief,) = read_mails(site)
    assert of_thief.to == "new@example.com"

    confirm(new_browser(site), notice)

    assert address_of(site, person.id) == (person.email, True)
    assert new_browser(site).go(link_in(of_thief)).status_code == 400


def test_the_first_owner_still_undoes_what_a_later_one_has_undone(site):
    person, notice = changed(site)
    ask_to_change(site, person.id, "third@example.com")
    (mail,) = read_mails(site)
    site.clock.advance(1)
    thief = signed_in_browser(site, person)
    read_mails(site)
    confirm(thief, mail)
    (of_thief,) = read_mails(site)

    confirm(new_browser(site), of_thief)
    confirm(new_browser(site), notice)

    assert address_of(site, person.id) == (person.email, True)


def test_a_change_can_be_undone_for_a_week(site):
    _, notice = changed(site)
    site.clock.advance(timedelta(days=7))

    assert new_browser(site).go(link_in(notice)).status_code == 400


def test_what_was_asked_for_by_the_old_address_opens_nothing_afterwards(site):
    person = make_user(site)
    browser = new_browser(site)
    post_to(browser, "/password-reset", csrf_token=csrf(browser), username=person.username)
    (reset,) = read_mails(site)
    ask_to_change(site, person.id, "new@example.com")
    (mail,) = read_mails(site)
    confirm(signed_in_browser(site, person), mail)

    assert new_browser(site).go(link_in(reset)).status_code == 400


def test_a_passkey_that_was_added_after_the_change_goes_when_it_is_undone(site):
    person = make_user(site)
    own = enrolled(site, person)
    site.clock.advance(60)
    ask_to_change(site, person.id, "thief@example.com")
    (mail,) = read_mails(site)
    confirm(signed_in_browser(site, person), mail)
    (notice,) = read_mails(site)
    theirs = enrolled(site, person)

    owner = new_browser(site)
    owner.send(owner.go(link_in(notice)))

    assert sign_in_with(new_browser(site), theirs).status_code == 401
    assert sign_in_with(new_browser(site), own).status_code == 303


def test_a_second_step_that_was_added_after_the_change_goes_when_it_is_undone(site):
    person = make_user(site)
    thief = signed_in_browser(site, person)
    own = add_authenticator(site, person)
    site.clock.advance(60)
    ask_to_change(site, person.id, "thief@example.com")
    (mail,) = read_mails(site)
    confirm(thief, mail)
    (notice,) = read_mails(site)
    add_authenticator(site, person)
    add_recovery_codes(site, person)

    owner = new_browser(site)
    owner.send(owner.go(link_in(notice)))

    with site.db() as db:
        assert [one.id for one in factors.list_factors(db, person.id)] == [own.factor_id]
        assert recovery_codes.left(db, person.id) == 0
