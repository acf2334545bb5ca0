"""One's own activity, over HTTP, on both databases."""

import re

import pytest

from oidc_server.domain import audit, audit_trail
from oidc_server.domain.audit import Actor, ActorKind, Event, Origin
from oidc_server.domain.audit_trail import Filter
from tests.authentication.forms import new_browser, sign_in, signed_in_person
from tests.factories import make_user
from tests.relying_party import signed_in

PATH = "/account/activity"
ADMINISTRATION = (
    "operation.",
    "audit.",
    "client.",
    "invitation.c",
    "invitation.r",
    "registration_token.",
    "issuer.",
    "provider.",
    "resource.",
    "role.c",
    "role.d",
    "signing_key.",
    "server.setup_link",
    "server.backed_up",
    "server.restored",
    "server.copied",
    "server.exported",
    "server.imported",
)


def record(site, person, event, actor=None, **changes):
    with site.db() as db:
        origin = Origin("reference", "203.0.113.7", "Mozilla/5.0 (X11; Linux) Firefox/140.0", actor)
        audit.record(db, event, origin=origin, now=site.clock.now, user_id=person.id, **changes)


def test_it_tells_what_happened_from_where_and_for_which_app(site):
    _, browser, _, _ = signed_in(site, client_name="Ledger <b>")

    page = browser.client.get(PATH).text

    assert "<b>Signed in</b> to Ledger &lt;b&gt;" in page
    assert "<b>Ledger &lt;b&gt;</b> was allowed to use your account" in page


def test_it_tells_of_nobody_else(site):
    other = make_user(site)
    record(site, other, Event.PASSWORD_CHANGED)
    _, browser = signed_in_person(site)

    assert "Password changed" not in browser.client.get(PATH).text


def test_a_wrong_password_of_somebody_else_is_seen_by_the_owner(site):
    person, browser = signed_in_person(site)
    sign_in(new_browser(site), person.username, "a guess of a stranger")

    page = browser.client.get(PATH).text

    assert "<b>Sign-in refused</b>: the password was wrong" in page
    assert "a guess of a stranger" not in page


def test_older_events_are_on_further_pages_each_of_them_once(site):
    person, browser = signed_in_person(site)
    for number in range(70):
        record(site, person, Event.USER_EDITED)
        if number % 2:  # two of them have the same time
            site.clock.advance(60)

    pages = [browser.client.get(PATH).text]
    while found := re.search(r'id="older" href="([^"]+)"', pages[-1]):
        pages.append(browser.client.get(found[1]).text)

    assert [page.count("<b>Profile changed</b>") for page in pages] == [30, 30, 10]
    assert "Newest" in pages[-1]


def test_what_an_administrator_did_is_told_without_their_address(site):
    person, browser = signed_in_person(site)
    record(site, person, Event.USER_EDITED, actor=Actor(ActorKind.USER, make_user(site).id))

    page = browser.client.get(PATH).text

    assert "By an administrator" in page
    assert "203.0.113.7" not in page


@pytest.mark.parametrize("before", ["nonsense", "0" * 32, "019b0000-0000-7000-8000-00000000000x"])
def test_a_place_that_does_not_exist_has_nothing_before_it(site, before):
    _, browser = signed_in_person(site)

    page = browser.client.get(f"{PATH}?before={before}")

    assert page.status_code == 200
    assert "There is nothing older." in page.text


def test_the_place_of_somebody_elses_event_shows_nothing_of_them(site):
    other = make_user(site)
    record(site, other, Event.PASSWORD_CHANGED)
    with site.db() as db:
        [theirs] = audit_trail.search(db, Filter(user_id=other.id), limit=1)
    _, browser = signed_in_person(site)

    assert "Password changed" not in browser.client.get(f"{PATH}?before={theirs.id}").text


def test_every_event_about_a_person_has_words(site):
    person, browser = signed_in_person(site)
    for event in Event:
        if not event.startswith(ADMINISTRATION):
            record(site, person, event)

    pages = [browser.client.get(PATH).text]
    while found := re.search(r'id="older" href="([^"]+)"', pages[-1]):
        pages.append(browser.client.get(found[1]).text)

    told = "".join(page.partition("<main")[2].partition("</main>")[0] for page in pages)
    assert re.findall(r"<code>([^<]*)</code>", told) == []
