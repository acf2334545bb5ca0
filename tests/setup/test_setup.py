"""The first run: from an empty database to its administrator, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oidc_server.cli.setup_url import setup_url
from oidc_server.domain import links, roles, users
from oidc_server.domain.links import Purpose
from tests.authentication.forms import csrf, is_signed_in, new_browser, post, post_to, sign_in
from tests.factories import PASSWORD, account_of, everybody, make_user

FIELDS: dict[str, Any] = {
    "username": "root",
    "email": "root@example.com",
    "name": "Root",
    "password": PASSWORD,
}


def printed_link(site):
    """The path of the link that the terminal shows."""
    with site.db() as db:
        link_id = links.open_setup(db, site.clock.now)
    assert link_id is not None
    return setup_url(site.runtime.settings, link_id).removeprefix(site.issuer)


def administrators(site):
    with site.db() as db:
        return [
            user.username for user in everybody(db) if roles.ADMIN in roles.roles_of(db, user.id)
        ]


def test_an_empty_server_says_where_its_link_is(site):
    answer = new_browser(site).client.get("/")

    assert answer.status_code == 200
    assert "oidc-server setup-link" in answer.text
    assert "link=" not in answer.text


def test_the_printed_link_makes_the_administrator_and_signs_them_in(site):
    browser = new_browser(site)

    page = browser.go(printed_link(site))
    account = browser.send(page, **FIELDS)

    assert "you are its administrator" in account.text
    assert is_signed_in(browser)
    assert administrators(site) == ["root"]
    with site.db() as db:
        user = users.get(db, account_of(db, "root@example.com").id)
    assert user.email_verified_at == site.clock.now
    assert sign_in(new_browser(site), "root").status_code == 303


def test_the_link_leaves_the_address_bar_and_opening_it_uses_nothing(site):
    link = printed_link(site)

    moved = [new_browser(site).client.get(link) for _ in range(3)]

    assert {answer.headers["location"] for answer in moved} == {"/setup"}
    assert new_browser(site).go(link).status_code == 200
    assert administrators(site) == []


def test_set_up_is_closed_for_good_afterwards(site):
    link, browser, late = printed_link(site), new_browser(site), new_browser(site)
    open_page = late.go(link)
    browser.send(browser.go(link), **FIELDS)

    shown = new_browser(site).go(link)
    sent = late.send(open_page, **{**FIELDS, "username": "second", "email": "two@example.com"})

    assert [shown.status_code, sent.status_code] == [404, 404]
    assert administrators(site) == ["root"]
    with site.db() as db:
        assert links.open_setup(db, site.clock.now) is None
    assert new_browser(site).client.get("/").headers["location"] == "/login"
    assert browser.client.get("/").headers["location"] == "/account"


def test_an_administrator_made_elsewhere_ends_it_too(site):
    link, browser, person = printed_link(site), new_browser(site), make_user(site)
    page = browser.go(link)

    with site.db() as db:
        roles.assign(db, person.id, roles.ADMIN, site.clock.now)

    assert browser.send(page, **FIELDS).status_code == 404
    assert new_browser(site).go(link).status_code == 404
    assert administrators(site) == [person.username]


@pytest.mark.parametrize("guess", ["", "x", "0" * 36 + "." + "A" * 43])
def test_nobody_sets_up_without_the_link(site, guess):
    printed_link(site)
    browser = new_browser(site)

    shown = browser.go(f"/setup?link={guess}")
    sent = post_to(browser, "/setup", csrf_token=csrf(browser), link=guess, **FIELDS)

    assert [shown.status_code, sent.status_code] == [404, 404]
    assert administrators(site) == []


def test_a_link_for_another_purpose_does_not_set_up(site):
    person, browser = make_user(site), new_browser(site)
    with site.db() as db:
        link_id = links.mint(
            db,
            Purpose.RESET_PASSWORD,
            user_id=person.id,
            email=person.email,
            now=site.clock.now,
            lifetime=site.runtime.settings.link_lifetime,
        )
    value = site.runtime.links.sign(Purpose.SET_UP, link_id)

    sent = post_to(browser, "/setup", csrf_token=csrf(browser), link=value, **FIELDS)

    assert sent.status_code == 404
    assert administrators(site) == []


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"username": ""}, 422, "Enter a username."),
        ({"email": "nowhere"}, 422, "This e-mail address is not complete."),
        ({"password": "short"}, 422, "This password is too short."),
        ({"password": "root@example.com"}, 422, "contains your name"),
        ({"username": "taken"}, 409, "This username is taken."),
        ({"email": "taken@example.com"}, 409, "belongs to another account"),
    ],
)
def test_a_mistake_does_not_use_the_link(site, changes, status, told):
    """People may have signed up before anybody set the server up."""
    make_user(site, username="taken", email="taken@example.com")
    browser = new_browser(site)
    page = browser.go(printed_link(site))

    refused = browser.send(page, **{**FIELDS, **changes})
    done = browser.send(refused, **FIELDS)

    assert refused.status_code == status
    assert told in refused.text
    assert "you are its administrator" in done.text
    assert administrators(site) == ["root"]


def test_of_two_who_set_up_at_once_one_is_the_administrator(site):
    link = printed_link(site)
    browsers = [new_browser(site) for _ in range(8)]
    pages = [browser.go(link) for browser in browsers]

    def send(number):
        changes = {"username": f"root{number}", "email": f"root{number}@example.com"}
        return post(browsers[number], pages[number], **{**FIELDS, **changes}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(8)))

    assert sorted(statuses) == [303] + [404] * 7
    assert administrators(site) == [f"root{statuses.index(303)}"]
    with site.db() as db:
        assert len(everybody(db)) == 1
