"""Adding, naming and removing passkeys: who may, and what is never lost by accident."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from httpx2 import Response

from oidc_server.domain import passkeys, users
from tests.account.pages import fill, send
from tests.authentication.forms import (
    csrf,
    is_signed_in,
    new_browser,
    post,
    post_to,
    sign_in,
    signed_in_browser,
)
from tests.authentication.test_passkey_login import enrolled, options
from tests.authentication.test_passkey_login import sign_in as sign_in_with
from tests.authenticator import BE, UP, UV, Authenticator
from tests.browser import Browser
from tests.factories import Person, make_user
from tests.factors import add_authenticator
from tests.mails import read_mails
from tests.site import Site

SECURITY = "/account/security"
PASSKEYS = f"{SECURITY}/passkeys"


def without_password(site: Site, **authenticator: Any) -> tuple[Person, Browser, Authenticator]:
    """Somebody who has a passkey and no password, signed in with it."""
    person = make_user(site)
    passkey = enrolled(site, person, Authenticator(**authenticator))
    with site.db() as db:
        users.get(db, person.id).password_hash = None
    browser = new_browser(site)
    assert sign_in_with(browser, passkey).status_code == 303
    return person, browser, passkey


def ask(browser: Browser, **fields: str) -> Response:
    return post_to(browser, f"{PASSKEYS}/options", csrf_token=csrf(browser), **fields)


def add(browser: Browser, person: Person, authenticator: Authenticator, **changes: Any) -> Response:
    asked = ask(browser, current_password=person.password).json()
    credential = authenticator.make(asked, **changes)
    return post_to(browser, PASSKEYS, csrf_token=csrf(browser), credential=credential)


def names(site: Site, person: Person) -> list[str]:
    with site.db() as db:
        return [passkey.name for passkey in passkeys.list_of_user(db, person.id)]


def path_of(site: Site, person: Person, at: int = 0) -> str:
    with site.db() as db:
        return f"{PASSKEYS}/{passkeys.list_of_user(db, person.id)[at].id}"


def remove(browser: Browser, path: str, **fields: str) -> Response:
    return send(browser, browser.client.get(path), f"{path}/remove", **fields)


def test_a_passkey_that_was_added_is_listed_told_of_by_mail_and_signs_in(site: Site):
    person = make_user(site)
    browser = signed_in_browser(site, person)
    authenticator = Authenticator()

    answer = add(browser, person, authenticator)
    page = browser.go(answer.headers["location"])
    listed = browser.go(SECURITY)

    assert answer.headers["location"] == f"{path_of(site, person)}?notice=passkey_added"
    assert "The passkey is added" in page.text
    assert "Not used yet" in listed.text
    assert [mail.subject for mail in read_mails(site)] == ["Your ID: A passkey was added"]
    assert sign_in_with(new_browser(site), authenticator).status_code == 303


@pytest.mark.parametrize(
    ("authenticator", "user_agent", "name"),
    [
        ({"aaguid": "d548826e-79b4-db40-a3d8-11116f7e8349"}, "", "Bitwarden"),
        ({"transports": ("usb", "nfc")}, "", "Security key"),
        ({}, "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0", "Firefox on Linux"),
        ({}, "", "Passkey"),
    ],
)
def test_a_passkey_has_a_name_before_its_person_gives_it_one(
    site: Site, authenticator, user_agent, name
):
    person = make_user(site)
    browser = signed_in_browser(site, person)
    browser.client.headers["user-agent"] = user_agent
    if "aaguid" in authenticator:
        aaguid = bytes.fromhex(authenticator["aaguid"].replace("-", ""))
        authenticator = {"aaguid": aaguid}

    add(browser, person, Authenticator(**authenticator))

    assert names(site, person) == [name]


def test_the_browser_is_asked_with_a_random_handle_and_for_none_it_has(site: Site):
    person = make_user(site)
    browser = signed_in_browser(site, person)
    first = ask(browser, current_password=person.password).json()
    add(browser, person, Authenticator())

    second = ask(browser, current_password=person.password).json()

    assert first["excludeCredentials"] == []
    assert len(second["excludeCredentials"]) == 1
    assert first["user"]["id"] == second["user"]["id"]
    assert person.id.replace("-", "") not in first["user"]["id"]
    assert first["attestation"] == "none"
    assert first["rp"]["id"] == "id.example.com"


@pytest.mark.parametrize(
    ("password", "refused"), [("", "password_missing"), ("wrong", "password_wrong")]
)
def test_no_passkey_is_asked_for_without_the_password(site: Site, password, refused):
    person = make_user(site)
    browser = signed_in_browser(site, person)

    answer = ask(browser, current_password=password)

    assert (answer.status_code, answer.json()) == (403, {"refused": refused})


def test_somebody_without_a_password_must_have_signed_in_just_now(site: Site):
    _, browser, _ = without_password(site)
    assert ask(browser).status_code == 200

    site.clock.advance(timedelta(minutes=6))
    page = browser.client.get(f"{PASSKEYS}/new")

    assert ask(browser).json() == {"refused": "sign_in_too_old"}
    assert 'id="sign-in-again"' in page.text
    assert 'id="make-passkey"' not in page.text
    assert (
        f"/login?reason=login_again&amp;return_to={quote(f'{PASSKEYS}/new', safe='')}" in page.text
    )


def test_a_removal_that_came_too_late_leads_back_to_the_page_of_the_passkey(site: Site):
    person, browser, _ = without_password(site)
    enrolled(site, person)
    path = path_of(site, person)
    site.clock.advance(timedelta(minutes=6))

    answer = post_to(browser, f"{path}/remove", csrf_token=csrf(browser))

    assert answer.status_code == 403
    assert f'return_to={quote(path, safe="")}"' in answer.text
    assert len(names(site, person)) == 2


def test_signing_in_once_more_leads_back(site: Site):
    _, browser, passkey = without_password(site)
    site.clock.advance(timedelta(minutes=6))
    page = browser.client.get(f"/login?reason=login_again&return_to={PASSKEYS}/new")
    assert page.status_code == 200

    answer = post_to(
        browser,
        "/login/passkey",
        csrf_token=csrf(browser),
        credential=passkey.use(options(browser)),
        return_to=f"{PASSKEYS}/new",
    )

    assert answer.headers["location"] == f"{PASSKEYS}/new"
    assert ask(browser).status_code == 200


def test_nobody_adds_a_passkey_without_signing_in(site: Site):
    browser = new_browser(site)

    asked = ask(browser)
    added = post_to(browser, PASSKEYS, csrf_token=csrf(browser), credential="{}")

    assert asked.status_code == 404
    assert added.headers["location"].startswith("/login?return_to=")


def test_the_challenge_of_a_sign_in_makes_no_passkey(site: Site):
    person = make_user(site)
    browser = signed_in_browser(site, person)
    asked = ask(browser, current_password=person.password).json()
    wrong = {**asked, "challenge": options(browser)["challenge"]}

    answer = post_to(
        browser, PASSKEYS, csrf_token=csrf(browser), credential=Authenticator().make(wrong)
    )

    assert answer.status_code == 422
    assert names(site, person) == []


def test_the_challenge_of_somebody_else_at_the_same_browser_is_refused(site: Site):
    first, second = make_user(site), make_user(site)
    browser = signed_in_browser(site, first)
    asked = ask(browser, current_password=first.password).json()
    browser.client.cookies.delete("__Host-sid")
    sign_in(browser, second.username)

    answer = post_to(
        browser, PASSKEYS, csrf_token=csrf(browser), credential=Authenticator().make(asked)
    )

    assert answer.status_code == 422
    assert (names(site, first), names(site, second)) == ([], [])


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://evil.example.com"}, {"rp_id": "evil.example.com"}, {"flags": UV}]
)
def test_a_passkey_made_elsewhere_is_refused(site: Site, wrong):
    person = make_user(site)
    browser = signed_in_browser(site, person)

    answer = add(browser, person, Authenticator(**wrong))

    assert answer.status_code == 422
    assert names(site, person) == []


def test_a_passkey_belongs_to_one_account(site: Site):
    owner, other = make_user(site), make_user(site)
    authenticator = enrolled(site, owner)

    answer = add(signed_in_browser(site, other), other, authenticator)

    assert answer.status_code == 409
    assert "registered already" in answer.text
    assert (len(names(site, owner)), names(site, other)) == (1, [])


def test_nobody_has_more_passkeys_than_one_can_have(site: Site, monkeypatch):
    monkeypatch.setattr(passkeys, "MOST", 1)
    person = make_user(site)
    enrolled(site, person)

    answer = add(signed_in_browser(site, person), person, Authenticator())

    assert answer.status_code == 409
    assert "as many passkeys" in answer.text


def test_a_passkey_gets_another_name(site: Site):
    person = make_user(site)
    enrolled(site, person)
    browser = signed_in_browser(site, person)
    path = path_of(site, person)

    answer = fill(browser, path, name="Work <laptop>")
    missing = fill(browser, path, name=" ")

    assert answer.headers["location"] == f"{SECURITY}?notice=passkey_renamed"
    assert names(site, person) == ["Work <laptop>"]
    assert "Work &lt;laptop&gt;" in browser.client.get(SECURITY).text
    assert missing.status_code == 422


def test_a_passkey_that_was_removed_opens_nothing_and_what_it_opened_is_closed(site: Site):
    person = make_user(site)
    authenticator = enrolled(site, person)
    elsewhere, by_password, browser = new_browser(site), signed_in_browser(site, person), None
    assert sign_in_with(elsewhere, authenticator).status_code == 303
    browser = signed_in_browser(site, person)

    read_mails(site)
    answer = remove(browser, path_of(site, person), current_password=person.password)

    assert answer.headers["location"] == f"{SECURITY}?notice=passkey_removed"
    assert names(site, person) == []
    assert [mail.subject for mail in read_mails(site)] == ["Your ID: A passkey was removed"]
    assert sign_in_with(new_browser(site), authenticator).status_code == 401
    assert [is_signed_in(one) for one in (elsewhere, by_password, browser)] == [False, True, True]


def test_a_passkey_is_not_removed_without_the_password(site: Site):
    person = make_user(site)
    enrolled(site, person)
    browser = signed_in_browser(site, person)

    answer = remove(browser, path_of(site, person), current_password="wrong")

    assert answer.status_code == 401
    assert "not your present password" in answer.text
    assert len(names(site, person)) == 1


def test_the_only_way_in_is_not_removed(site: Site):
    person, browser, _ = without_password(site)
    path = path_of(site, person)

    page = browser.client.get(path)
    answer = post_to(browser, f"{path}/remove", csrf_token=csrf(browser))

    assert "only way in" in page.text
    assert answer.status_code == 409
    assert len(names(site, person)) == 1


def test_a_key_that_does_not_know_its_person_is_no_way_in(site: Site):
    person, browser, _ = without_password(site)
    site.clock.advance(1)
    enrolled(site, person, Authenticator(flags=UP, transports=("usb",)))

    answer = post_to(browser, f"{path_of(site, person)}/remove", csrf_token=csrf(browser))

    assert answer.status_code == 409
    assert "second step only" in browser.client.get(SECURITY).text


def test_of_two_passkeys_one_can_go(site: Site):
    person, browser, _ = without_password(site)
    site.clock.advance(1)
    enrolled(site, person, Authenticator(flags=UP | UV | BE))

    first = remove(browser, path_of(site, person))
    last = post_to(browser, f"{path_of(site, person)}/remove", csrf_token=csrf(browser))

    assert (first.status_code, last.status_code) == (303, 409)


def test_the_passkeys_of_others_are_not_there(site: Site):
    owner, other = make_user(site), make_user(site)
    enrolled(site, owner)
    browser, path = signed_in_browser(site, other), path_of(site, owner)

    answers = [
        browser.client.get(path),
        post_to(browser, path, csrf_token=csrf(browser), name="Mine"),
        post_to(
            browser, f"{path}/remove", csrf_token=csrf(browser), current_password=other.password
        ),
        browser.client.get(f"{PASSKEYS}/no-id"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert names(site, owner) == ["Laptop"]


def test_a_copy_is_shown_to_its_owner(site: Site):
    person = make_user(site)
    authenticator = enrolled(site, person)
    sign_in_with(new_browser(site), authenticator)
    authenticator.step = 0
    sign_in_with(new_browser(site), authenticator)

    page = signed_in_browser(site, person).client.get(SECURITY)

    assert "maybe copied" in page.text


def test_the_overview_offers_a_passkey_until_there_is_one(site: Site):
    person = make_user(site)
    browser = signed_in_browser(site, person)
    before = browser.client.get("/account").text

    enrolled(site, person)
    after = browser.client.get("/account").text

    assert f'href="{PASSKEYS}/new"' in before
    assert f'href="{PASSKEYS}/new"' not in after
    assert "Passkey added" in after


def test_the_password_alone_adds_no_passkey_where_a_second_step_is_asked_for(site: Site):
    """On a trusted browser, the password is all that a thief had to give for a way around it."""
    person = make_user(site)
    app = add_authenticator(site, person)
    browser = new_browser(site)
    step = sign_in(browser, person.username).headers["location"]
    fields = {"csrf_token": csrf(browser), "code": app.wait(), "trust": "yes"}
    assert post_to(browser, step, **fields).status_code == 303
    browser.client.cookies.delete("__Host-sid")
    assert sign_in(browser, person.username).headers["location"] == "/account"

    refused = ask(browser, current_password=person.password)
    detours = [
        browser.client.get(f"{PASSKEYS}/{page}").headers["location"]
        for page in ("new", "second-step")
    ]

    assert (refused.status_code, refused.json()) == (403, {"refused": "second_step_missing"})
    assert all(detour.startswith("/login/step-up?") for detour in detours)
    step = browser.client.get(detours[0]).headers["location"]
    shown = post(browser, browser.client.get(step), code=app.wait())
    assert shown.headers["location"] == f"{PASSKEYS}/new"
    assert ask(browser, current_password=person.password).status_code == 200
