"""Connecting an account elsewhere with the one here takes proof of both; what undoes it."""

import pytest

from oidc_server.domain import endings, identities, identity_providers, user_sessions, ways_in
from tests.authentication.forms import is_signed_in, new_browser, post, sign_in, signed_in_person
from tests.authentication.providers.leaving import (
    add_provider,
    come_back,
    leave,
    onward,
    press,
    sign_in_with,
)
from tests.browser import Page
from tests.factories import PASSWORD, make_client, make_user
from tests.held_up import held_up
from tests.mails import read_mails
from tests.relying_party import RelyingParty

CONNECT = "/account/security/providers/acme"


@pytest.fixture
def known(site, provider):
    return add_provider(site, provider)


def identities_of(site, person):
    with site.db() as db:
        return identities.list_of_user(db, person.id)


def live_sessions(site, person):
    with site.db() as db:
        return user_sessions.live_of_user(db, person.id)


def leave_to_connect(browser, password=PASSWORD):
    """Fill the form of the console; the answer to it."""
    return browser.send(browser.client.get(CONNECT), form=-1, current_password=password)


def connected(site, provider):
    """Somebody who has connected their account in the console."""
    person, browser = signed_in_person(site)
    come_back(browser, provider.authorize(onward(leave_to_connect(browser))))
    return person, browser


def test_the_console_connects_an_account_after_the_password(site, provider, known):
    provider.claims = {"email": "ada@there.example"}
    person, browser = signed_in_person(site)
    before = browser.client.get("/account/security").text

    wrong = leave_to_connect(browser, "not the password")
    page = come_back(browser, provider.authorize(onward(leave_to_connect(browser))))

    assert wrong.status_code == 401
    assert "It is connected." in page.text
    assert "ada@there.example" in page.text
    assert ["Another account at Acme" in text for text in (before, page.text)] == [False, True]
    assert [one.sub for one in identities_of(site, person)] == [provider.sub]
    [mail] = [one for one in read_mails(site) if "connected" in one.subject]
    assert "Acme" in mail.text
    assert "Account elsewhere connected" in browser.client.get("/account/activity").text
    assert is_at_home(sign_in_with(new_browser(site), provider))


def test_nothing_is_connected_to_whoever_is_signed_in_when_the_answer_comes(site, provider, known):
    _, browser = signed_in_person(site)
    query = provider.authorize(onward(leave_to_connect(browser)))
    other = make_user(site)
    browser.client.cookies.delete("sid")
    sign_in(browser, other.username)

    page = come_back(browser, query)

    assert page.status_code == 400
    assert identities_of(site, other) == []


def test_an_attackers_answer_connects_nothing_in_the_browser_of_a_victim(site, provider, known):
    _, attacker = signed_in_person(site)
    victim, browser = signed_in_person(site)
    query = provider.authorize(onward(leave_to_connect(attacker)))

    page = come_back(browser, query)

    assert page.status_code == 400
    assert identities_of(site, victim) == []


def test_an_account_that_somebody_else_has_connected_is_not_connected_twice(site, provider, known):
    first, _ = connected(site, provider)

    second, browser = signed_in_person(site)
    page = come_back(browser, provider.authorize(onward(leave_to_connect(browser))))

    assert "somebody else here signs in with that account" in page.text
    assert len(identities_of(site, first)) == 1
    assert identities_of(site, second) == []


def test_whoever_has_an_account_signs_in_to_it_and_goes_back_to_their_app(site, provider, known):
    person, browser = make_user(site), new_browser(site)
    party = RelyingParty(site, make_client(site))
    page = browser.go(party.url())
    newcomer = come_back(browser, provider.authorize(onward(press(browser, page))))

    login = browser.go(_connect_link(newcomer))
    assert 'id="sign-in"' in login.text
    confirm = browser.log_in(login, person)
    assert f"{person.username}</span>" in confirm.text
    assert identities_of(site, person) == []
    answer = party.read(browser.allow(browser.go(onward(browser.send(confirm)))))

    assert party.redeem(answer.code).status_code == 200
    assert [one.sub for one in identities_of(site, person)] == [provider.sub]


def test_whoever_is_signed_in_already_signs_in_once_more_to_connect(site, provider, known):
    person, browser = signed_in_person(site)
    query = provider.authorize(leave(browser, "/login?reason=login_again"))
    site.clock.advance(1)
    newcomer = come_back(browser, query)

    login = browser.go(_connect_link(newcomer))
    unproven = browser.client.post(
        _connect_link(newcomer),
        data={"csrf_token": Page(login).hidden()["csrf_token"]},
        headers={"origin": site.issuer, "sec-fetch-site": "same-origin"},
    )

    assert 'id="sign-in"' in login.text
    assert unproven.status_code == 303
    assert "/login" in unproven.headers["location"]
    assert identities_of(site, person) == []


def test_a_decision_is_taken_once(site, provider, known):
    browser = new_browser(site)
    page = sign_in_with(browser, provider)

    made = post(browser, page, username="ada", email="ada@there.example")
    again = post(browser, page, username="bob", email="bob@there.example")

    assert made.status_code == 303
    assert again.status_code == 400


def test_a_taken_name_is_said_and_another_one_is_taken(site, provider, known):
    person, browser = make_user(site), new_browser(site)
    page = sign_in_with(browser, provider)

    refused = post(browser, page, username=person.username, email="a@there.example")
    made = post(browser, refused, username="ada", email="a@there.example")

    assert refused.status_code == 409
    assert made.status_code == 303


def test_a_provider_that_may_bring_nobody_new_says_so(site, provider):
    add_provider(site, provider, sign_up=False)
    browser = new_browser(site)

    page = sign_in_with(browser, provider)
    forced = browser.client.post(
        page.url.path,
        data={
            "csrf_token": Page(browser.client.get("/login")).hidden()["csrf_token"],
            "username": "ada",
            "email": "a@there.example",
        },
        headers={"origin": site.issuer, "sec-fetch-site": "same-origin"},
    )

    assert 'id="closed"' in page.text
    assert forced.status_code == 403
    assert not is_signed_in(browser)
    assert 'id="provider-acme"' not in browser.client.get("/sign-up").text


def test_disconnecting_asks_for_the_password_and_closes_what_it_opened(site, provider, known):
    person, browser = connected(site, provider)
    elsewhere = new_browser(site)
    sign_in_with(elsewhere, provider)
    [identity] = identities_of(site, person)
    page = browser.client.get(f"/account/security/identities/{identity.id}")

    wrong = browser.send(page, form=-1, current_password="not it")
    done = browser.send(page, form=-1, current_password=PASSWORD)

    assert wrong.status_code == 401
    assert "It is disconnected" in done.text
    assert identities_of(site, person) == []
    assert not is_signed_in(elsewhere)
    assert any("disconnected" in mail.subject for mail in read_mails(site))
    assert "/login/providers/new/" in str(sign_in_with(new_browser(site), provider).url)


def test_the_last_way_in_stays(site, provider, known):
    browser = new_browser(site)
    post(browser, sign_in_with(browser, provider), username="ada", email="ada@there.example")
    page = browser.client.get("/account/security")
    link = page.text.partition("/account/security/identities/")[2].partition('"')[0]
    shown = browser.client.get(f"/account/security/identities/{link}")

    forced = browser.client.post(
        f"/account/security/identities/{link}",
        data={"csrf_token": Page(browser.client.get("/language")).hidden()["csrf_token"]},
        headers={"origin": site.issuer, "sec-fetch-site": "same-origin"},
    )

    assert 'id="last-way-in"' in shown.text
    assert forced.status_code == 409
    assert is_at_home(sign_in_with(new_browser(site), provider))


def test_links_of_others_are_nobodys(site, provider, known):
    owner, _ = connected(site, provider)
    _, stranger = signed_in_person(site)
    [identity] = identities_of(site, owner)

    assert stranger.client.get(f"/account/security/identities/{identity.id}").status_code == 404


def test_what_was_connected_since_somebody_else_was_in_goes_when_the_owner_says_so(
    site, provider, known
):
    person, _ = connected(site, provider)

    with site.db() as db:
        endings.disown(db, person.id, site.clock.now, site.clock.now)

    assert identities_of(site, person) == []


def test_nothing_is_connected_while_the_owner_says_that_it_was_not_them(site, provider, known):
    person, browser = signed_in_person(site)
    query = provider.authorize(onward(leave_to_connect(browser)))

    with site.db() as db:
        endings.disown(db, person.id, site.clock.now, site.clock.now)
        callback = held_up(lambda: come_back(browser, query))
    answer = callback()

    assert answer.status_code == 400
    assert identities_of(site, person) == []


def test_what_is_being_connected_then_goes_as_well(site, provider, known):
    person, _ = signed_in_person(site)
    [session_id] = live_sessions(site, person)

    def disown():
        with site.db() as db:
            endings.disown(db, person.id, site.clock.now, site.clock.now)

    with site.db() as db:
        user_sessions.hold(db, session_id)
        owner = held_up(disown)
        identities.link(db, person.id, known, provider.sub, None, site.clock.now)
    owner()

    assert identities_of(site, person) == []


def test_nobody_comes_in_by_what_the_owner_is_disconnecting(site, provider, known):
    person, _ = connected(site, provider)
    [linked] = identities_of(site, person)
    thief = new_browser(site)
    query = provider.authorize(leave(thief))

    with site.db() as db:
        ways_in.remove_identity(db, person.id, linked.id, site.clock.now)
        callback = held_up(lambda: come_back(thief, query))
    callback()

    assert not is_signed_in(thief)


def test_nobody_comes_in_by_a_provider_while_the_owner_says_that_it_was_not_them(
    site, provider, known
):
    person, _ = connected(site, provider)
    thief = new_browser(site)
    query = provider.authorize(leave(thief))

    with site.db() as db:
        endings.disown(db, person.id, site.clock.now, site.clock.now)
        callback = held_up(lambda: come_back(thief, query))
    callback()

    assert live_sessions(site, person) == []


def test_who_is_coming_in_by_a_provider_is_out_again_when_the_account_is_shut(
    site, provider, known
):
    person, _ = connected(site, provider)
    thief = new_browser(site)
    query = provider.authorize(leave(thief))

    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)
        callback = held_up(lambda: come_back(thief, query))
    answer = callback()

    assert answer.status_code == 403
    assert live_sessions(site, person) == []


def test_a_reset_of_second_factors_disconnects_nothing(site, provider, known):
    person, _ = connected(site, provider)

    with site.db() as db:
        endings.reset_factors(db, person.id, site.clock.now)

    assert len(identities_of(site, person)) == 1


def test_the_file_of_ones_data_has_it_and_deletion_removes_it(site, provider, known):
    person, browser = connected(site, provider)
    page = browser.client.get("/account/data/download")
    data = browser.send(page, form=-1, current_password=PASSWORD)

    with site.db() as db:
        endings.delete_user(db, person.id, site.clock.now)

    assert provider.sub in data.text
    assert identities_of(site, person) == []


def test_removing_a_provider_tells_those_who_had_connected_it(site, provider, known):
    person, _ = connected(site, provider)
    read_mails(site)

    with site.db() as db:
        found = identity_providers.get(db, "acme")
        assert endings.remove_provider(db, found, site.clock.now) == 1

    assert identities_of(site, person) == []
    assert [mail.to for mail in read_mails(site)] == [person.email]


def test_a_provider_is_removed_with_what_is_just_being_connected(site, provider, known):
    person, _ = signed_in_person(site)
    read_mails(site)

    def remove():
        with site.db() as db:
            return endings.remove_provider(db, known, site.clock.now)

    with site.db() as db:
        identities.link(db, person.id, known, provider.sub, None, site.clock.now)
        removing = held_up(remove)

    assert removing() == 1
    assert identities_of(site, person) == []
    assert [mail.to for mail in read_mails(site)] == [person.email]


def is_at_home(page):
    return str(page.url).endswith("/account")


def _connect_link(page):
    return page.text.partition('id="connect" href="')[2].partition('"')[0]
