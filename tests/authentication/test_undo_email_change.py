"""What becomes of all that somebody did between a change of the address and its undoing."""

from datetime import timedelta

from httpx2 import Response

from oidc_server.domain import attempts, consents, trusted_devices
from oidc_server.domain.audit import Origin
from oidc_server.outbound.mail import Mail
from tests.authentication.forms import new_browser, sign_in, signed_in_browser
from tests.authentication.test_email_change import (
    NEW,
    ask_to_change,
    changed,
    confirm,
)
from tests.authentication.test_passkey_login import enrolled
from tests.authentication.test_passkey_login import sign_in as sign_in_with
from tests.browser import Browser
from tests.factories import Person, make_client, make_user
from tests.mails import link_in, read_mails
from tests.relying_party import RelyingParty
from tests.site import Site


def undo(site: Site, notice: Mail) -> tuple[Browser, Response]:
    """The owner takes the account back; returns them on the page of the new password."""
    owner = new_browser(site)
    return owner, owner.send(owner.go(link_in(notice)))


def mails_to(site: Site, address: str) -> list[Mail]:
    return [mail for mail in read_mails(site) if mail.to == address]


def steal(site: Site, person: Person, thief: Browser) -> Mail:
    """Give the account another address; returns what the old one is told."""
    ask_to_change(site, person.id, "thief@example.com")
    (asking,) = mails_to(site, "thief@example.com")
    confirm(thief, asking)
    (notice,) = mails_to(site, person.email)
    return notice


def test_an_app_that_was_allowed_since_has_to_ask_the_owner(site: Site) -> None:
    person = make_user(site)
    mine, theirs = (RelyingParty(site, make_client(site)) for _ in range(2))
    mine.authorize(new_browser(site), person)
    site.clock.advance(60)
    thief = signed_in_browser(site, person)
    notice = steal(site, person, thief)
    tokens = theirs.redeem(theirs.authorize(thief, person).code).json()

    owner, choose = undo(site, notice)
    owner.send(choose, password=NEW)

    assert theirs.userinfo(tokens["access_token"]).status_code == 401
    with site.db() as db:
        left = [client_id for client_id, *_ in consents.permissions_of(db, person.id)]
    assert left == [mine.app.client_id]
    page = owner.log_in(owner.go(theirs.url()), person, password=NEW)
    assert 'id="allow"' in page.text


def test_no_browser_is_known_or_trusted_afterwards(site: Site) -> None:
    person, notice = changed(site)
    with site.db() as db:
        mark = trusted_devices.trust(
            db,
            person.id,
            None,
            origin=Origin("", "192.0.2.1", ""),
            now=site.clock.now,
            lifetime=timedelta(days=30),
        )
        attempts.remember_browser(db, person.id, "of the thief", site.clock.now)

    undo(site, notice)

    with site.db() as db:
        assert not trusted_devices.is_trusted(db, person.id, mark, site.clock.now)
        attempts.remember_browser(db, person.id, "of the owner", site.clock.now)
        assert attempts.remember_browser(db, person.id, "of the thief", site.clock.now)


def test_a_notice_from_before_the_change_still_removes_what_was_added_since_it(
    site: Site,
) -> None:
    """A thief may add it first, and take the mails away afterwards."""
    person = make_user(site)
    own = enrolled(site, person)
    site.clock.advance(60)
    thief = signed_in_browser(site, person)
    about_thief = told_of_a_sign_in(site, person)
    theirs = enrolled(site, person)
    site.clock.advance(60)
    notice = steal(site, person, thief)

    owner, _ = undo(site, notice)
    assert sign_in_with(new_browser(site), theirs).status_code == 303
    owner.send(owner.go(link_in(about_thief)))

    assert sign_in_with(new_browser(site), theirs).status_code == 401
    assert sign_in_with(new_browser(site), own).status_code == 303


def told_of_a_sign_in(site: Site, person: Person) -> Mail:
    """A notice that goes to the address of the owner."""
    read_mails(site)
    assert sign_in(new_browser(site), person.username).status_code == 303
    (mail,) = mails_to(site, person.email)
    return mail


def test_what_went_to_the_address_of_the_thief_closes_nothing_afterwards(site: Site) -> None:
    person = make_user(site)
    thief = signed_in_browser(site, person)
    notice = steal(site, person, thief)
    site.clock.advance(60)
    assert sign_in(new_browser(site), person.username).status_code == 303
    (of_thief,) = mails_to(site, "thief@example.com")

    owner, choose = undo(site, notice)
    owner.send(choose, password=NEW)

    assert new_browser(site).go(link_in(of_thief)).status_code == 400
    assert sign_in(new_browser(site), person.email, NEW).status_code == 303
