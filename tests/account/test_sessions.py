"""Devices: where one is signed in, over HTTP, on both databases."""

import re
import threading

from oidc_server.people import device_labels
from tests.account.pages import send
from tests.authentication.forms import csrf, is_signed_in, new_browser, post_to, sign_in
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty

PATH = "/account/sessions"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
VIVALDI = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36 Vivaldi/6.8.3381.46"
)


def signed_in_with(site, person, user_agent):
    browser = new_browser(site)
    browser.client.headers["user-agent"] = user_agent
    sign_in(browser, person.username)
    return browser


def ends(page):
    return re.findall(rf'action="({PATH}/[^"]+/end)"', page.text)


def test_each_device_has_a_name_that_people_know(site):
    person = make_user(site)
    here = signed_in_with(site, person, FIREFOX)
    for other in (IPHONE, VIVALDI, "<b>nobody</b> knows"):
        signed_in_with(site, person, other)

    page = here.client.get(PATH).text

    this_one, _, others = page.partition('id="others"')
    assert "Firefox on Linux" in this_one
    assert "This device" in this_one
    for name in ("Safari on iPhone", "Vivaldi on Windows", "Unknown device"):
        assert name in others
    assert "nobody" not in page


def test_the_library_reads_its_rules_away_from_the_event_loop(site, monkeypatch):
    person = make_user(site)
    here = signed_in_with(site, person, FIREFOX)
    threads = []
    parse = device_labels._parser()

    def noted(user_agent):
        threads.append(threading.current_thread().name)
        return parse(user_agent)

    monkeypatch.setattr(device_labels, "_parser", lambda: noted)
    device_labels._closely.cache_clear()
    here.client.get(PATH)

    assert threads
    assert all(not name.startswith(("Main", "asyncio-portal", "AnyIO")) for name in threads)


def test_one_device_is_signed_out_and_no_other(site):
    person = make_user(site)
    here, phone = signed_in_with(site, person, FIREFOX), signed_in_with(site, person, IPHONE)
    third = signed_in_with(site, person, VIVALDI)
    page = here.client.get(PATH)
    [end, *_] = re.findall(rf'Safari on iPhone.*?action="({PATH}/[^"]+/end)"', page.text, re.DOTALL)

    answer = send(here, page, end)

    assert answer.headers["location"] == f"{PATH}?notice=device_signed_out"
    assert [is_signed_in(browser) for browser in (here, phone, third)] == [True, False, True]


def test_everywhere_else_is_everywhere_but_here(site):
    person = make_user(site)
    here, *others = [signed_in_with(site, person, agent) for agent in (FIREFOX, IPHONE, VIVALDI)]

    answer = send(here, here.client.get(PATH), f"{PATH}/end-others")

    assert answer.headers["location"] == f"{PATH}?notice=others_signed_out"
    assert is_signed_in(here)
    assert not any(is_signed_in(browser) for browser in others)
    assert "Nowhere else" in here.client.get(PATH).text


def test_what_apps_got_in_a_session_ends_with_it(site):
    person = make_user(site)
    here, phone = signed_in_with(site, person, FIREFOX), signed_in_with(site, person, IPHONE)
    party = RelyingParty(site, make_client(site))
    tokens = party.redeem(party.authorize(phone, person).code).json()

    send(here, here.client.get(PATH), f"{PATH}/end-others")

    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_the_session_of_somebody_else_cannot_be_ended_nor_seen(site):
    mine, theirs = make_user(site), make_user(site)
    here, there = signed_in_with(site, mine, FIREFOX), signed_in_with(site, theirs, FIREFOX)
    third = signed_in_with(site, theirs, IPHONE)
    [end] = ends(there.client.get(PATH))

    seen = here.client.get(PATH).text
    answers = [post_to(here, path, csrf_token=csrf(here)) for path in (end, f"{PATH}/nonsense/end")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert is_signed_in(third)
    assert end not in seen


def test_without_the_token_of_the_form_nothing_ends(site):
    person = make_user(site)
    here, phone = signed_in_with(site, person, FIREFOX), signed_in_with(site, person, IPHONE)

    for path in (*ends(here.client.get(PATH)), f"{PATH}/end-others"):
        assert post_to(here, path).status_code == 403

    assert is_signed_in(phone)


def test_each_device_tells_the_apps_that_it_signed_in_to(site):
    person, other = make_user(site), make_user(site)
    here, there = (signed_in_with(site, person, agent) for agent in (FIREFOX, IPHONE))
    elsewhere = signed_in_with(site, other, VIVALDI)
    ledger, wiki = (
        RelyingParty(site, make_client(site, client_name=name)) for name in ("Ledger", "Wiki & co")
    )
    for browser, party in ((here, wiki), (here, ledger), (here, ledger), (elsewhere, ledger)):
        party.authorize(browser, person)

    page = there.client.get(PATH).text

    this_one, _, others = page.partition('id="others"')
    assert "Used for" not in this_one
    assert "Used for Ledger, Wiki &amp; co" in others
