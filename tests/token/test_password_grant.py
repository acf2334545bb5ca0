"""RFC 6749 §4.3: off, unless a client is registered for it; guesses count as on the login page."""

from typing import Any

import pytest
from sqlalchemy import select

from oidc_server.domain import endings
from oidc_server.domain.audit import AuditEvent, Event
from tests.browser import Browser
from tests.factories import App, Person, make_client, make_resource, make_user
from tests.factors import add_authenticator
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import row_counts


def trusted(site: Site, **changes: Any) -> RelyingParty:
    app: App = make_client(site, grant_types=("password", "refresh_token"), **changes)
    return RelyingParty(site, app)


def ask(party: RelyingParty, person: Person, **changes: str) -> Any:
    fields = {"username": person.username, "password": person.password, **changes}
    return party.token(grant_type="password", **fields)


@pytest.mark.parametrize("client_type", ["web", "spa", "native", "service"])
def test_it_is_off_by_default_and_checks_no_password(site: Site, client_type) -> None:
    party = RelyingParty(site, make_client(site, client_type))
    person = make_user(site)
    before = row_counts(site)

    answer = ask(party, person)

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert row_counts(site) == before


def test_a_client_registered_for_it_gets_tokens_that_work(site: Site) -> None:
    party, person = trusted(site), make_user(site)

    response = ask(party, person, scope="openid email offline_access")
    by_address = ask(party, person, username=person.email)

    tokens = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert tokens["scope"] == "email offline_access openid"
    assert party.userinfo(tokens["access_token"]).json()["sub"] == person.id
    assert party.refresh(tokens["refresh_token"]).status_code == 200
    assert by_address.status_code == 200
    assert by_address.json()["scope"] == "address email openid phone profile roles"


def test_it_does_not_let_anybody_in_who_has_a_second_step(site: Site) -> None:
    """A password that comes this way is all that comes: there is no page to ask for more."""
    party, person = trusted(site), make_user(site)
    add_authenticator(site, person)

    answer = ask(party, person)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert "second step" in answer.json()["error_description"]


WRONG: list[dict[str, str]] = [
    {"password": "wrong"},
    {"username": "nobody"},
    {"username": "nobody@example.com"},
    {"password": "x" * 5000},
    {"username": "x" * 5000},
    {"username": "\u202e\U0001f600", "password": "\u00e9"},
]


@pytest.mark.parametrize("changes", WRONG)
def test_whatever_is_wrong_gets_one_answer(site: Site, changes: dict[str, str]) -> None:
    party, person = trusted(site), make_user(site)

    answer = ask(party, person, **changes)

    body = answer.json()
    assert (answer.status_code, body["error"]) == (400, "invalid_grant")
    assert body["error_description"] == "The user name or the password is wrong."


def test_a_disabled_person_gets_the_same_answer(site: Site) -> None:
    party, person = trusted(site), make_user(site)
    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    answer = ask(party, person)

    assert answer.json()["error_description"] == "The user name or the password is wrong."


@pytest.mark.parametrize("missing", ["username", "password"])
def test_what_is_missing_is_named(site: Site, missing: str) -> None:
    answer = ask(trusted(site), make_user(site), **{missing: ""})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert missing in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"scope": "admin"}, "invalid_scope"), ({"resource": "https://x.example"}, "invalid_target")],
)
def test_what_it_may_not_have_is_refused(site: Site, changes: dict[str, str], error: str) -> None:
    answer = ask(trusted(site), make_user(site), **changes)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_rfc_8707_the_audience_is_the_resource(site: Site) -> None:
    resource = make_resource(site, "https://api.example.net/")
    party = trusted(site)

    tokens = ask(party, make_user(site), resource=resource).json()

    assert party.introspect(tokens["access_token"])["aud"] == resource


def test_guesses_here_slow_the_login_page_and_the_other_way_round(site: Site) -> None:
    party, person = trusted(site), make_user(site)
    browser = Browser(site.browser(), site.issuer)
    login = browser.go("/login")

    statuses = [ask(party, person, password=f"wrong {n}").status_code for n in range(6)]
    statuses += [browser.log_in(login, person, password=f"wrong {n}").status_code for n in range(4)]
    throttled = ask(party, person)

    assert statuses == [400] * 6 + [401] * 4
    assert throttled.status_code == 429
    assert int(throttled.headers["retry-after"]) > 0
    assert throttled.json()["error"]
    assert browser.log_in(login, person).status_code == 429
    site.clock.advance(31)
    assert ask(party, person).status_code == 200


def test_guessing_a_secret_of_the_client_guesses_no_password(site: Site) -> None:
    party, person = trusted(site), make_user(site)
    before = row_counts(site)

    answer = site.http.post(
        "/token",
        data={"grant_type": "password", "username": person.username, "password": person.password},
        auth=(party.app.client_id, "wrong"),
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert row_counts(site) == before
    with site.db() as db:
        refusals = select(AuditEvent).where(AuditEvent.event == Event.CLIENT_REFUSED)
        assert len(db.session.scalars(refusals).all()) == 1


def test_it_does_not_let_anybody_in_who_must_set_up_a_second_step(start_site) -> None:
    site = start_site(second_factor="required")

    answer = ask(trusted(site), make_user(site))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
