"""From the outbox to a mail server."""

import re
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from oidc_server.domain import links, mails, outbox, users
from oidc_server.domain.links import Purpose
from oidc_server.domain.mails import MailKind, Notice
from oidc_server.domain.outbox import OutboxRow
from oidc_server.jobs.mail_delivery import deliver
from oidc_server.outbound.mail import SmtpTransport
from tests.factories import make_user
from tests.mails import read_mails
from tests.services.smtp import Mood


@pytest.fixture
def runtime(site, smtp):
    """The collaborators of a server that hands its mails to `smtp`."""
    url = SecretStr(f"smtp://127.0.0.1:{smtp.port}?starttls=off")
    settings = site.runtime.settings.model_copy(update={"smtp_url": url})
    return replace(site.runtime, settings=settings, mail=SmtpTransport(settings, site.clock))


def enqueue(site, kind=MailKind.PASSWORD_RESET, **changes: Any):
    """Intend a mail to a new person, with the link that its kind needs; return both."""
    person = make_user(site, **changes)
    purposes = {
        MailKind.PASSWORD_RESET: Purpose.RESET_PASSWORD,
        MailKind.VERIFY_EMAIL: Purpose.VERIFY_EMAIL,
    }
    with site.db() as db:
        link_id = kind in purposes and links.mint(
            db,
            purposes[kind],
            user_id=person.id,
            email=person.email,
            now=site.clock.now,
            lifetime=site.runtime.settings.link_lifetime,
        )
        mails.enqueue(
            db,
            kind,
            user_id=person.id,
            to=person.email,
            link_id=link_id or None,
            now=site.clock.now,
            browser="Firefox on Linux",
            address="192.0.2.7",
        )
    return person, link_id or None


def rows(site):
    with site.db() as db:
        return list(db.session.scalars(select(OutboxRow).order_by(OutboxRow.id)))


def text_of(message):
    return message.get_body(("plain",)).get_content()


def link_in(message, site):
    (link,) = re.findall(rf"^{site.issuer}\S+", text_of(message), re.MULTILINE)
    return link.removeprefix(site.issuer)


@pytest.mark.parametrize(
    ("kind", "purpose", "path", "subject"),
    [
        (MailKind.PASSWORD_RESET, Purpose.RESET_PASSWORD, "/password-reset/new", "Reset your"),
        (MailKind.VERIFY_EMAIL, Purpose.VERIFY_EMAIL, "/verify-email", "Confirm your"),
    ],
)
def test_a_mail_carries_a_link_that_opens_what_it_was_made_for(
    site, runtime, smtp, kind, purpose, path, subject
):
    person, link_id = enqueue(site, kind, name="Ada Lovelace")

    deliver(runtime, Event())

    (message,) = smtp.mails_to(person.email)
    assert message["subject"].startswith(subject)
    assert "Hello Ada Lovelace," in text_of(message)
    found_path, value = link_in(message, site).split("?link=")
    assert found_path == path
    assert runtime.links.read(purpose, value) == link_id
    assert value in message.get_body(("html",)).get_content()
    assert "192.0.2.7" in text_of(message)
    assert "Firefox on Linux" in text_of(message)
    assert "5 Jan 2026, 09:00 UTC" in text_of(message)


@pytest.mark.parametrize(
    ("kind", "path"),
    [(MailKind.WELCOME, "/account"), (MailKind.ACCOUNT_EXISTS, "/login")],
)
def test_a_mail_that_opens_nothing_links_to_an_open_page_only(site, runtime, smtp, kind, path):
    person, _ = enqueue(site, kind, name=None)

    deliver(runtime, Event())

    (message,) = smtp.mails_to(person.email)
    assert link_in(message, site) == path
    assert f"Hello {person.username}," in text_of(message)


@pytest.mark.parametrize("notice", Notice)
def test_every_notice_says_what_happened_when_where_and_what_to_do(site, runtime, smtp, notice):
    person = make_user(site, name="Ada Lovelace", username="ada")
    with site.db() as db:
        users.edit(db, person.id, {"zoneinfo": "Europe/Paris"}, site.clock.now)
        facts = {"browser": "Firefox", "system": "Linux", "address": "192.0.2.7"}
        mails.notify(db, person.id, notice, site.clock.now, detail="Key <5>", **facts)

    deliver(runtime, Event())

    (message,) = smtp.mails_to(person.email)
    text, html = text_of(message), message.get_body(("html",)).get_content()
    ends = notice is Notice.ACCOUNT_DELETED
    assert message["subject"].startswith("Your ID: ")
    assert ("Hello," if ends else "Hello Ada Lovelace,") in text
    assert ("09:00 UTC" if ends else "10:00 CET") in text
    for fact in ("Firefox on Linux", "192.0.2.7"):
        assert fact in text
        assert fact in html
    assert "Key <5>" in text
    assert "Key &lt;5&gt;" in html
    assert "Was it" in text


def test_a_notice_goes_to_a_verified_address_or_to_the_one_that_was_given_up(site):
    person = make_user(site, email_verified=False)
    with site.db() as db:
        mails.notify(db, person.id, Notice.PASSKEY_ADDED, site.clock.now)
        mails.notify(db, person.id, Notice.EMAIL_CHANGED, site.clock.now, to="old@example.com")

    assert [(mail.to, mail.subject) for mail in read_mails(site)] == [
        ("old@example.com", "Your ID: Your e-mail address was changed")
    ]


def test_a_notice_that_is_caused_again_and_again_floods_nobody(site):
    person = make_user(site)
    for _ in range(48):
        site.clock.advance(timedelta(minutes=30))
        with site.db() as db:
            mails.notify(db, person.id, Notice.PASSKEY_ADDED, site.clock.now)
            mails.notify(db, person.id, Notice.PASSKEY_REMOVED, site.clock.now)

    subjects = [mail.subject for mail in read_mails(site)]
    assert 5 < subjects.count("Your ID: A passkey was added") < 30
    assert 5 < subjects.count("Your ID: A passkey was removed") < 30


def test_the_database_never_holds_the_link(site, runtime, smtp):
    enqueue(site)

    deliver(runtime, Event())

    value = link_in(smtp.messages[0], site).split("?link=")[1]
    mac = value.split(".")[1]
    with site.db() as db:
        tables = OutboxRow.metadata.sorted_tables
        everything = [str(db.session.execute(select(table)).all()) for table in tables]
    assert not [text for text in everything if mac in text]


def test_what_was_sent_is_not_sent_again(site, runtime, smtp):
    enqueue(site)
    deliver(runtime, Event())

    site.clock.advance(timedelta(hours=1))
    deliver(runtime, Event())

    assert len(smtp.messages) == 1
    assert rows(site)[0].delivered_at is not None


def test_a_mail_that_is_refused_for_now_comes_later_under_the_same_message_id(site, runtime, smtp):
    enqueue(site)
    smtp.mood = Mood.REFUSE_FOR_NOW
    deliver(runtime, Event())
    (row,) = rows(site)
    assert "451" in row.last_error

    smtp.mood = Mood.ACCEPT
    deliver(runtime, Event())
    assert smtp.messages == []
    site.clock.advance(5)
    deliver(runtime, Event())

    (message,) = smtp.messages
    assert message["message-id"].startswith(f"<{row.id}@")


def test_a_mail_that_is_refused_for_good_is_given_up_and_says_why(site, runtime, smtp):
    enqueue(site)
    smtp.mood = Mood.REFUSE_FOR_GOOD

    deliver(runtime, Event())

    site.clock.advance(timedelta(minutes=30))
    deliver(runtime, Event())
    assert smtp.attempts == 1
    (row,) = rows(site)
    assert row.given_up_at is not None
    assert "550" in row.last_error


def test_a_link_that_has_expired_or_was_used_is_not_sent(site, runtime, smtp):
    enqueue(site)
    site.clock.advance(runtime.settings.link_lifetime)
    _, link_id = enqueue(site)
    with site.db() as db:
        links.consume(db, link_id, Purpose.RESET_PASSWORD, site.clock.now)

    deliver(runtime, Event())

    assert smtp.messages == []
    assert [row.last_error for row in rows(site)] == [
        "the link has expired or was used",
        "the link has expired or was used",
    ]
    assert all(row.given_up_at for row in rows(site))


def test_a_mail_that_comes_late_tells_how_long_the_link_still_works(site, runtime, smtp):
    enqueue(site)
    site.clock.advance(timedelta(minutes=45))

    deliver(runtime, Event())

    assert "for 15 minutes" in text_of(smtp.messages[0])


def test_a_mail_that_cannot_be_made_does_not_stop_the_others(site, runtime, smtp, caplog):
    enqueue(site)
    with site.db() as db:
        db.session.execute(update(OutboxRow).values(kind="unheard_of"))
    site.clock.advance(1)
    person, _ = enqueue(site)

    deliver(runtime, Event())

    assert len(smtp.mails_to(person.email)) == 1
    assert rows(site)[0].last_error == "ValueError"
    assert "mail could not be made" in caplog.text


def test_a_mail_to_somebody_who_is_gone_is_given_up(site, runtime, smtp):
    enqueue(site)
    payload = {**rows(site)[0].payload, "user_id": "00000000-0000-4000-8000-000000000000"}
    with site.db() as db:
        db.session.execute(update(OutboxRow).values(payload=payload))

    deliver(runtime, Event())

    assert smtp.messages == []
    assert rows(site)[0].last_error == "the account does not exist any more"


def test_a_mail_server_that_is_away_is_asked_a_few_times_and_then_left_alone(site, runtime, smtp):
    for _ in range(8):
        enqueue(site)
    smtp.mood = Mood.REFUSE_FOR_NOW

    deliver(runtime, Event())

    failures = runtime.settings.breaker_failures
    assert smtp.attempts == failures
    assert sorted(row.attempts for row in rows(site)) == [0] * 2 + [1] * (failures + 1)


def test_nothing_new_is_begun_when_the_server_stops(site, runtime, smtp):
    enqueue(site)
    stopping = Event()
    stopping.set()

    deliver(runtime, stopping)

    assert smtp.attempts == 0
    assert rows(site)[0].attempts == 0


def test_without_a_mail_server_mails_wait_for_one(site):
    enqueue(site)

    deliver(site.runtime, Event())

    with site.db() as db:
        assert outbox.pending_by_queue(db)[outbox.Queue.MAIL] == 1
    assert "OIDC_SMTP_URL is not set" in rows(site)[0].last_error


@pytest.mark.slow
def test_a_running_server_sends_a_mail_soon_after_the_commit(start_site, smtp):
    site = start_site(smtp_url=f"smtp://127.0.0.1:{smtp.port}?starttls=off", with_jobs=True)

    person, _ = enqueue(site)

    assert smtp.wait_for(1)[0]["x-recipients"] == person.email
