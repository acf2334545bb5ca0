"""/dev/mail: what would have been sent."""

import re
from threading import Event

import pytest
from starlette.testclient import TestClient

from oidc_server.app import create_app
from oidc_server.domain import mails
from oidc_server.domain.mails import MailKind
from oidc_server.jobs.mail_delivery import deliver
from tests.factories import make_user


@pytest.fixture
def dev_site(start_site):
    return start_site(dev=True)


def send_mail(site, name="Ada"):
    person = make_user(site, name=name)
    with site.db() as db:
        mails.enqueue(
            db, MailKind.ACCOUNT_EXISTS, user_id=person.id, to=person.email, now=site.clock.now
        )
    deliver(site.runtime, Event())
    site.clock.advance(1)
    return person


def test_an_empty_mailbox_says_so(dev_site):
    answer = dev_site.http.get("/dev/mail")

    assert answer.status_code == 200
    assert "No mail yet" in answer.text


def test_a_mail_is_listed_and_opens_with_a_link_to_click(dev_site):
    person = send_mail(dev_site)

    page = dev_site.http.get("/dev/mail").text
    assert person.email in page
    (address,) = re.findall(r'href="(/dev/mail/[^"]+)"', page)
    mail = dev_site.http.get(address).text

    assert "You already have an account" in mail
    assert person.email in mail
    assert f'href="{dev_site.issuer}/login"' in mail


def test_what_a_person_writes_is_not_read_as_html(dev_site):
    send_mail(dev_site, name="<b>Ada</b>")

    (address,) = re.findall(r'href="(/dev/mail/[^"]+)"', dev_site.http.get("/dev/mail").text)

    assert "Hello &lt;b&gt;Ada&lt;/b&gt;," in dev_site.http.get(address).text


def test_the_newest_mail_comes_first(dev_site):
    people = [send_mail(dev_site) for _ in range(3)]

    page = dev_site.http.get("/dev/mail").text

    assert re.findall(r"person\d+@example\.com", page) == [
        person.email for person in reversed(people)
    ]


def test_every_worker_shows_the_mails_of_all(dev_site):
    person = send_mail(dev_site)
    other_worker = create_app(dev_site.runtime.settings, dev_site.clock, dev=True, with_jobs=False)

    with TestClient(other_worker, base_url=dev_site.issuer) as http:
        assert person.email in http.get("/dev/mail").text


@pytest.mark.parametrize("mail_id", ["unknown", "..%2Fsecret", "%00", "x" * 500])
def test_a_mail_that_is_not_there_is_not_found(dev_site, mail_id):
    assert dev_site.http.get(f"/dev/mail/{mail_id}").status_code == 404


def test_a_server_with_a_mail_server_has_no_mailbox(start_site):
    site = start_site(dev=True, smtp_url="smtp://127.0.0.1:1?starttls=off")

    assert site.http.get("/dev/mail").status_code == 404


@pytest.mark.parametrize("path", ["/dev/mail", "/dev/mail/x", "/dev/app", "/dev/app/callback"])
def test_without_dev_nothing_of_it_is_there(site, path):
    assert site.http.get(path).status_code == 404
