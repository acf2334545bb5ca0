"""Who shows a second factor before what would hurt: whoever is asked for it at each sign-in."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oidc_server.domain import passkeys
from tests.account.pages import fill
from tests.account.test_passkeys import names, path_of, remove
from tests.authentication.forms import csrf, new_browser, post_to, sign_in, signed_in_browser
from tests.authentication.test_passkey_login import enrolled
from tests.authentication.test_passkey_login import sign_in as sign_in_with
from tests.authentication.test_passkey_step import take
from tests.authenticator import UP, Authenticator
from tests.browser import Browser
from tests.factories import Person, make_user
from tests.factors import add_authenticator
from tests.site import Site

SENSITIVE = [
    "/account/profile/email",
    "/account/data/download",
    "/account/data/delete",
    "/account/security/password",
    "/account/security/passkeys/new",
    "/account/security/passkeys/second-step",
    "/account/security/authenticator",
    "/account/security/recovery-codes",
    "/account/security/mailed-codes",
]


def with_a_passkey(site: Site) -> tuple[Person, Browser]:
    """Somebody who used their passkey, which opens alone, longer ago than is enough."""
    person, browser = make_user(site), new_browser(site)
    assert sign_in_with(browser, enrolled(site, person)).status_code == 303
    site.clock.advance(timedelta(minutes=15, seconds=1))
    return person, browser


def statuses(browser: Browser, paths: list[str]) -> set[int]:
    return {browser.client.get(path).status_code for path in paths}


def way_back_of(location: str) -> str:
    """Where stepping up leads to afterwards."""
    assert urlsplit(location).path == "/login/step-up"
    return parse_qs(urlsplit(location).query)["return_to"][0]


def ask_for_the_passkey(site: Site, person: Person) -> None:
    with site.db() as db:
        assert passkeys.set_second_step(db, person.id, wanted=True)


def add_a_key(site: Site, person: Person) -> None:
    enrolled(site, person, Authenticator(flags=UP, transports=("usb",)))


def test_who_has_a_passkey_as_another_way_in_is_not_asked_for_it(site: Site) -> None:
    person, browser = with_a_passkey(site)

    assert statuses(browser, [*SENSITIVE, path_of(site, person)]) == {200}


def test_whoever_lost_their_only_passkey_is_not_locked_out_of_their_account(site: Site) -> None:
    person = make_user(site)
    enrolled(site, person)
    browser = signed_in_browser(site, person)

    new = "another passphrase for tomorrow"
    changed = fill(browser, SENSITIVE[3], current_password=person.password, password=new)
    removed = remove(browser, path_of(site, person), current_password=new)

    assert changed.headers["location"].endswith("notice=password_changed")
    assert removed.headers["location"].endswith("notice=passkey_removed")
    assert names(site, person) == []


@pytest.mark.parametrize("how", [ask_for_the_passkey, add_a_key, add_authenticator])
def test_who_is_asked_for_a_second_factor_at_each_sign_in_shows_it_and_comes_back(
    site: Site, how: Any
) -> None:
    person, browser = with_a_passkey(site)
    how(site, person)
    paths = [*SENSITIVE, path_of(site, person)]

    answers = [browser.client.get(path) for path in paths]

    assert [way_back_of(answer.headers["location"]) for answer in answers] == paths


def test_who_has_just_shown_it_is_let_in(site: Site) -> None:
    person = make_user(site)
    passkey = enrolled(site, person)
    ask_for_the_passkey(site, person)
    browser = new_browser(site)

    take(browser, sign_in(browser, person.username).headers["location"], passkey)

    assert statuses(browser, [*SENSITIVE, path_of(site, person)]) == {200}


def test_what_the_operator_asks_for_counts_like_what_the_person_does(start_site: Any) -> None:
    site = start_site(second_factor="required")
    person, browser = with_a_passkey(site)

    assert statuses(browser, [*SENSITIVE, path_of(site, person)]) == {303}


def test_no_button_does_anything_without_it_nor_counts_a_guess(site: Site) -> None:
    person, browser = with_a_passkey(site)
    ask_for_the_passkey(site, person)
    path = path_of(site, person)

    answers = [
        post_to(browser, f"{path}/remove", csrf_token=csrf(browser), current_password="wrong")
        for _ in range(11)
    ]
    renamed = post_to(browser, path, csrf_token=csrf(browser), name="Mine")

    assert {way_back_of(answer.headers["location"]) for answer in (*answers, renamed)} == {path}
    assert names(site, person) == ["Laptop"]
    assert sign_in(new_browser(site), person.username).status_code == 303
