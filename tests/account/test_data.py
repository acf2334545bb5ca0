"""Taking one's data along, and deleting the account, over HTTP, on both databases."""

import json
from datetime import timedelta

from sqlalchemy import select

from oidc_server.domain import audit, endings, invitations, roles, users
from oidc_server.domain.audit import Event, Origin
from oidc_server.domain.users import User
from oidc_server.languages import date_text
from tests.account.pages import fill, send
from tests.authentication.forms import is_signed_in, new_browser, sign_in, signed_in_person
from tests.factories import PASSWORD, make_user
from tests.held_up import held_up
from tests.mails import read_mails
from tests.relying_party import signed_in

DOWNLOAD = "/account/data/download"
DELETE = "/account/data/delete"


def make_administrator(site, person):
    with site.db() as db:
        roles.assign(db, person.id, roles.ADMIN, site.clock.now)


def test_the_file_tells_everything_but_secrets(site):
    party, browser, person, tokens = signed_in(site, client_name="Ledger")
    fill(browser, "/account/profile", nickname="Countess")
    with site.db() as db:
        password_hash = users.get(db, person.id).password_hash

    answer = fill(browser, DOWNLOAD, current_password=PASSWORD)

    told = answer.json()
    assert answer.headers["content-disposition"] == 'attachment; filename="2026-01-05-account.json"'
    assert answer.headers["cache-control"] == "no-store"
    assert told["issuer"] == site.issuer
    [user] = told["users"]
    assert (user["username"], user["nickname"]) == (person.username, "Countess")
    assert [row["client_id"] for row in told["grants"]] == [party.app.client_id]
    assert [row["scopes"] for row in told["consents"]] == [["email", "openid", "profile"]]
    assert {"sign_in.succeeded", "consent.given"} <= {row["event"] for row in told["audit_events"]}
    assert len(told["user_sessions"]) == 1
    assert len(told["refresh_tokens"]) == 1
    issued = [tokens[name] for name in ("access_token", "refresh_token", "id_token")]
    for secret in (password_hash, browser.client.cookies["__Host-sid"], *issued):
        assert secret not in answer.text
    names = {name for rows in told.values() if isinstance(rows, list) for name in rows[0]}
    assert not {name for name in names if "digest" in name or "sealed" in name or "hash" in name}


def test_the_file_tells_nothing_of_others(site):
    other, there = signed_in_person(site)
    _, here = signed_in_person(site)

    text = fill(here, DOWNLOAD, current_password=PASSWORD).text

    assert other.id not in text
    assert other.username not in text
    assert json.loads(text)["users"]
    assert is_signed_in(there)


def test_an_event_between_two_people_tells_neither_what_is_the_others(site):
    person, here = signed_in_person(site)
    boss, there = signed_in_person(site)
    origin = Origin("r-1", "203.0.113.77", "Browser of the boss").of(
        client_id="console", user_id=boss.id
    )
    with site.db() as db:
        audit.record(
            db,
            Event.USER_EDITED,
            origin=origin,
            now=site.clock.now,
            user_id=person.id,
            before={"name": "Ada King"},
            after={"name": "Ada Lovelace"},
            reason="asked by phone",
        )
        invitation = invitations.create(
            db,
            email=None,
            role=None,
            invited_by=boss.id,
            lifetime=timedelta(days=1),
            now=site.clock.now,
        )
        invitations.redeem(db, invitation, person.id, site.clock.now)

    files = [fill(browser, DOWNLOAD, current_password=PASSWORD) for browser in (here, there)]

    met, did = [edited(file) for file in files]
    assert met["after"] == {"name": "Ada Lovelace"}
    assert met["actor"] == "user"
    assert files[0].json()["invitations"]
    for what in (boss.id, boss.username, "203.0.113.77", "Browser of the boss"):
        assert what not in files[0].text
    assert (did["address"], did["event"]) == ("203.0.113.77", "user.edited")
    for what in (person.id, person.username, "Ada", "by phone"):
        assert what not in files[1].text


def edited(file):
    [event] = [row for row in file.json()["audit_events"] if row["event"] == "user.edited"]
    return event


def test_without_the_password_nothing_is_given_away(site):
    person, browser = signed_in_person(site)

    wrong = fill(browser, DOWNLOAD, current_password="wrong")
    missing = fill(browser, DOWNLOAD)

    assert (wrong.status_code, missing.status_code) == (401, 422)
    for page in (wrong, missing):
        assert page.headers["content-type"].startswith("text/html")
        assert person.id not in page.text


def test_that_it_was_downloaded_is_written_down(site):
    _, browser = signed_in_person(site)

    fill(browser, DOWNLOAD, current_password=PASSWORD)

    assert "Data downloaded" in browser.client.get("/account/activity").text


def test_a_deleted_account_is_shut_at_once_and_comes_back_within_its_time(site):
    person, browser = signed_in_person(site)
    elsewhere = new_browser(site)
    sign_in(elsewhere, person.username)

    page = fill(browser, DELETE, current_password=PASSWORD)

    assert "Your account is shut" in page.text
    assert "19 Jan 2026" in page.text
    assert not is_signed_in(browser)
    assert not is_signed_in(elsewhere)
    assert any("deleted" in mail.subject for mail in read_mails(site))
    sign_in(browser, person.username)
    assert is_signed_in(browser)


def test_the_mail_names_the_day_as_its_reader_writes_it(site):
    person, browser = signed_in_person(site)
    with site.db() as db:
        users.edit(db, person.id, {"locale": "de", "zoneinfo": "Europe/Berlin"}, site.clock.now)
    read_mails(site)

    fill(browser, DELETE, current_password=PASSWORD)

    [mail] = read_mails(site)
    grace = site.runtime.settings.account_deletion_grace
    day = date_text("de", site.clock.now + grace)
    assert f"{day}, 10:00 CET" in mail.text
    assert day in (mail.html or "")


def test_who_deletes_an_account_while_it_is_closed_holds_up_nobody(site):
    """Else whoever closes it, and has the turn of administrators, would wait for them in turn."""
    person, browser = signed_in_person(site)
    page = browser.client.get(DELETE)

    with site.db() as db:
        roles.take_turn(db)
        deleting = held_up(lambda: send(browser, page, DELETE, current_password=PASSWORD))
        free = select(User.id).where(User.id == person.id).with_for_update(nowait=True)
        assert db.session.scalars(free).all() == [person.id]
        endings.disable_user(db, person.id, site.clock.now)

    assert deleting().status_code in (303, 401)  # the session, or the account, was gone


def test_a_wrong_password_deletes_nothing(site):
    person, browser = signed_in_person(site)

    page = fill(browser, DELETE, current_password="wrong")

    assert page.status_code == 401
    assert "This is not your present password." in page.text
    assert is_signed_in(browser)
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_the_last_administrator_stays(site):
    person, browser = signed_in_person(site)
    make_administrator(site, person)

    page = fill(browser, DELETE, current_password=PASSWORD)

    assert page.status_code == 409
    assert "You are the last administrator." in page.text
    assert is_signed_in(browser)
    assert "Deletion of the account" not in browser.client.get("/account/activity").text


def test_an_administrator_who_is_not_the_last_may_go(site):
    person, browser = signed_in_person(site)
    make_administrator(site, person)
    make_administrator(site, make_user(site))

    assert fill(browser, DELETE, current_password=PASSWORD).status_code == 200


def test_the_page_says_what_happens_before_it_does(site):
    _, browser = signed_in_person(site)

    page = browser.client.get(DELETE).text

    assert "For 14 days you can come back by signing in." in page
    assert "Keep account" in page
