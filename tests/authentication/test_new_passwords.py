"""Which passwords may be chosen, and what becomes of those that were chosen elsewhere."""

from hashlib import sha1

import pytest

from oidc_server.domain import credentials, users
from oidc_server.security.passwords import PasswordHasher, breached
from tests.authentication.forms import ask_for_reset, new_browser, sign_in, sign_up
from tests.factories import PASSWORD, make_user
from tests.mails import link_in, read_mails
from tests.services.external_service import external_service, saying

LEAKED = "tall blue heron reads"


def digest_of(password):
    return sha1(password.encode(), usedforsecurity=False).digest()


def hash_of(site, person):
    with site.db() as db:
        return users.get(db, person.id).password_hash


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("wombat7", "too short"),
        ("Elisabeth1987", "mostly a name"),
        ("Password2026!", "first that attackers try"),
        ("grace hopper and bugs", "contains your name"),
        ("19.05.1987/", "mostly a date"),
        ("x" * 1025, "too long"),
    ],
)
def test_a_password_that_is_guessed_soon_is_refused_with_the_reason(site, password, words):
    browser = new_browser(site)

    page = sign_up(browser, "ada", name="Grace Hopper", password=password)

    assert page.status_code == 422
    assert words in page.text
    assert password not in page.text
    assert 'value="Grace Hopper"' in page.text


def test_the_same_rule_holds_for_a_reset(site):
    person = make_user(site, username="marianne")
    browser = new_browser(site)
    ask_for_reset(browser, person.username)
    page = browser.go(link_in(read_mails(site)[0]))

    again = browser.send(page, password="marianne goes to town")

    assert again.status_code == 422
    assert "contains your name" in again.text
    assert "is changed" in browser.send(again, password=LEAKED).text


def test_a_password_of_the_list_of_leaked_ones_is_refused(start_site, tmp_path):
    path = tmp_path / "leaked"
    breached.build([digest_of(LEAKED), digest_of("other")], path)
    site = start_site(breached_passwords_list=path)

    page = sign_up(new_browser(site), "ada", password=LEAKED)

    assert page.status_code == 422
    assert "found in a leak" in page.text
    assert sign_up(new_browser(site), "ada", password=PASSWORD).status_code == 303


def test_a_password_that_somebody_else_knows_for_leaked_is_refused(start_site):
    line = digest_of(LEAKED).hex().upper()[5:].encode() + b":7"
    with external_service(saying(line, content_type="text/plain")) as service:
        site = start_site(breached_passwords_url=service.url())

        page = sign_up(new_browser(site), "ada", password=LEAKED)
        free = sign_up(new_browser(site), "ada", password=PASSWORD)

    assert page.status_code == 422
    assert "found in a leak" in page.text
    assert free.status_code == 303


def test_a_leaked_password_is_found_out_however_much_clients_have_fetched(
    start_site,
):
    line = digest_of(LEAKED).hex().upper()[5:].encode() + b":7"
    with external_service(saying(line, content_type="text/plain")) as service:
        site = start_site(breached_passwords_url=service.url())
        site.runtime.fetching.for_self_registered._room = 0

        page = sign_up(new_browser(site), "ada", password=LEAKED)

    assert "found in a leak" in page.text


def test_nobody_waits_for_a_service_that_is_away(start_site):
    with external_service(saying(b"")) as service:
        url = service.url()
    site = start_site(breached_passwords_url=url)

    assert sign_up(new_browser(site), "ada", password=LEAKED).status_code == 303


@pytest.mark.parametrize(
    "encoded",
    [
        "$2b$04$nzBTo1BXIb1DUB5VOdqbuuetMRpiegVW0jJz4sOTkeuLSFRAIoVJG",
        "pbkdf2_sha256$1000$saltySALT$iihv2X93qIrLcU/JgiraE/KqOZJEdE/7+eTPl8b8j9o=",
    ],
)
def test_a_hash_made_elsewhere_signs_in_once_and_is_then_ours(site, encoded):
    person = make_user(site)
    with site.db() as db:
        credentials.set_password(db, person.id, encoded, site.clock.now)
    typed = "caf\u00e9 and rain"

    assert sign_in(new_browser(site), person.username, "cafe and rain").status_code == 401
    assert hash_of(site, person) == encoded
    assert sign_in(new_browser(site), person.username, typed).status_code == 303

    assert hash_of(site, person).startswith("$argon2id$")
    assert sign_in(new_browser(site), person.username, typed).status_code == 303


def test_raised_costs_reach_a_password_at_its_next_use(site):
    person = make_user(site)
    cheap = PasswordHasher(time_cost=1, memory_kib=8, parallelism=1).hash(person.password)
    with site.db() as db:
        credentials.set_password(db, person.id, cheap, site.clock.now)

    assert sign_in(new_browser(site), person.username).status_code == 303

    assert "m=64,t=1,p=1" in hash_of(site, person)


def test_password_managers_find_the_page_that_changes_a_password(site):
    answer = new_browser(site).client.get("/.well-known/change-password")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/account/security/password"
