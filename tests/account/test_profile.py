"""The profile of the account, over HTTP, on both databases."""

import re

import pytest

from oidc_server.domain import audit_trail, users
from oidc_server.domain.audit_trail import Filter
from oidc_server.domain.profiles import ADDRESS_MEMBERS, CLAIMS
from tests.account.pages import fill
from tests.authentication.forms import signed_in_person
from tests.relying_party import signed_in

PATH = "/account/profile"
EVERYTHING = {
    "name": "Ada King",
    "given_name": "Ada",
    "family_name": "King",
    "middle_name": "Augusta",
    "nickname": "Countess",
    "profile": "https://people.example/ada",
    "picture": "https://people.example/ada.png",
    "website": "https://ada.example",
    "gender": "female",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "phone_number": "+44 20 7946 0000",
}
ADDRESS = {
    "street_address": "12 St James's Square",
    "locality": "London",
    "region": "England",
    "postal_code": "SW1Y 4LB",
    "country": "United Kingdom",
    "formatted": "12 St James's Square\nLondon",
}


def stored(site, person):
    with site.db() as db:
        return users.get(db, person.id)


def test_everything_that_apps_may_be_told_can_be_said(site):
    person, browser = signed_in_person(site)
    address = {f"address_{member}": text for member, text in ADDRESS.items()}

    answer = fill(browser, PATH, **EVERYTHING, **address)

    assert answer.headers["location"] == "/account/profile?notice=profile_saved"
    user = stored(site, person)
    assert {claim: getattr(user, claim) for claim in EVERYTHING} == EVERYTHING
    assert user.address == ADDRESS
    assert set(EVERYTHING) | {"address"} == set(CLAIMS)
    assert set(ADDRESS) == set(ADDRESS_MEMBERS)


def test_the_page_shows_what_was_saved_and_an_empty_field_takes_it_away(site):
    person, browser = signed_in_person(site)
    fill(browser, PATH, nickname="Countess", zoneinfo="Europe/London", address_locality="London")

    page = browser.client.get(PATH).text
    fill(browser, PATH)

    assert 'value="Countess"' in page
    assert "<option selected>Europe/London</option>" in page
    assert 'value="London"' in page
    user = stored(site, person)
    assert (user.nickname, user.zoneinfo, user.address) == (None, None, None)


def test_the_audit_log_tells_what_was_changed_and_only_if_something_was(site):
    person, browser = signed_in_person(site)

    fill(browser, PATH, nickname="Countess")
    fill(browser, PATH, nickname="Countess")

    with site.db() as db:
        [entry] = audit_trail.search(db, Filter(event="user.edited"), limit=10)
    assert entry.user_id == person.id
    assert ((entry.before or {})["nickname"], (entry.after or {})["nickname"]) == (None, "Countess")


def test_an_app_is_told_what_was_said(site):
    party, browser, _, tokens = signed_in(site)

    fill(browser, PATH, given_name="Ada")

    assert party.userinfo(tokens["access_token"]).json()["given_name"] == "Ada"


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_saved(site):
    person, browser = signed_in_person(site)

    page = fill(
        browser,
        PATH,
        name="Ada",
        birthdate="10.12.1815",
        website="javascript:alert(1)",
        zoneinfo="Europe/Nowhere",
        phone_number="020",
        locale="x",
        address_locality="x" * 301,
    )

    assert page.status_code == 422
    assert "<title>Error:" in page.text
    assert "6 things to fix" in page.text
    assert 'value="10.12.1815"' in page.text
    assert 'value="Ada"' in page.text
    assert stored(site, person).name != "Ada"
    for field in re.findall(r'<li><a href="#([^"]+)">', page.text):
        assert f'id="{field}"' in page.text


@pytest.mark.parametrize(
    "field",
    ["username", "email", "email_verified", "id", "password_hash", "created_at", "roles", "sub"],
)
def test_a_form_cannot_set_what_is_not_on_it(site, field):
    person, browser = signed_in_person(site)
    before = stored(site, person)

    fill(browser, PATH, **{field: "changed"})

    after = stored(site, person)
    assert (after.username, after.email, after.email_verified_at, after.password_hash) == (
        before.username,
        before.email,
        before.email_verified_at,
        before.password_hash,
    )


def test_markup_in_a_name_stays_text_on_every_page(site):
    person, browser = signed_in_person(site)
    name = "<img src=x onerror=alert(1)>{{7*7}}"

    fill(browser, PATH, name=name)

    for path in ("/account", PATH, "/account/activity"):
        page = browser.client.get(path).text
        assert "<img src=x" not in page
        assert "49" not in page.partition("<h1>")[2].partition("</h1>")[0]
    assert stored(site, person).name == name


@pytest.mark.parametrize(
    ("field", "token"),
    [
        ("name", "name"),
        ("given_name", "given-name"),
        ("family_name", "family-name"),
        ("middle_name", "additional-name"),
        ("nickname", "nickname"),
        ("birthdate", "bday"),
        ("website", "url"),
        ("picture", "photo"),
        ("phone_number", "tel"),
        ("address_street_address", "street-address"),
        ("address_postal_code", "postal-code"),
        ("address_locality", "address-level2"),
        ("address_region", "address-level1"),
        ("address_country", "country-name"),
        ("locale", "language"),
    ],
)
def test_browsers_know_what_each_field_is_for(site, field, token):
    _, browser = signed_in_person(site)

    page = browser.client.get(PATH).text

    [tag] = re.findall(rf'<(?:input|textarea) id="{field}" name="{field}"[^>]*>', page)
    assert f'autocomplete="{token}"' in tag


def test_a_stored_zone_with_an_old_name_is_still_chosen(site):
    person, browser = signed_in_person(site)
    with site.db() as db:
        users.edit(db, person.id, {"zoneinfo": "Japan"}, site.clock.now)

    assert "<option selected>Japan</option>" in browser.client.get(PATH).text


def test_the_page_is_light_with_all_zones_on_it(site):
    _, browser = signed_in_person(site)

    assert len(browser.client.get(PATH).content) < 36_000
