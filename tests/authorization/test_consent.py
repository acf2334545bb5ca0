"""The consent page: asked once, answered by the person who saw it, and by nobody else."""

import pytest
from httpx2 import Response
from sqlalchemy import select

from oidc_server.domain import authorization_requests, clients, consents, endings
from oidc_server.domain.audit import AuditEvent, Event
from oidc_server.domain.consents import Consent, Permission
from oidc_server.oauth2.vocabulary import API_SCOPES
from tests.browser import Browser, Page
from tests.factories import Person, make_client, make_user
from tests.held_up import held_up
from tests.mails import read_mails
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import row_counts


def asked(site: Site) -> tuple[RelyingParty, Browser, Person, Response]:
    """A person in front of the consent page."""
    party = RelyingParty(site, make_client(site))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    page = browser.log_in(browser.go(party.url()), person)
    assert 'id="allow"' in page.text
    return party, browser, person, page


def test_a_refusal_is_told_and_not_remembered(site: Site) -> None:
    party, browser, _, page = asked(site)

    answer = party.read(browser.deny(page))

    assert answer.error == "access_denied"
    assert answer.params["state"] == party.state
    assert answer.params["iss"] == site.issuer
    assert 'id="allow"' in browser.go(party.url()).text


def test_the_page_says_where_the_browser_goes_and_how_to_take_it_back(site: Site) -> None:
    _, _, _, page = asked(site)

    assert "You go back to <b>app.example.net</b>" in page.text
    assert "You can take this back at any time" in page.text


def test_every_scope_of_the_api_is_told_in_words(site: Site) -> None:
    party = RelyingParty(site, make_client(site, scopes=API_SCOPES))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)

    page = browser.log_in(browser.go(party.url(scope=" ".join(sorted(API_SCOPES)))), person)

    lines = {line.strip() for line in page.text.splitlines()}
    assert page.text.count("<li>") >= len(API_SCOPES)
    assert lines.isdisjoint(API_SCOPES)


def test_a_yes_is_remembered_for_less_but_not_for_more(site: Site) -> None:
    party, browser, _, page = asked(site)
    party.read(browser.allow(page))

    party.read(browser.go(party.url()))
    party.read(browser.go(party.url(scope="openid")))
    more = browser.go(party.url(scope="openid profile email offline_access"))
    party.read(browser.allow(more))

    assert 'id="allow"' in more.text
    assert party.read(browser.go(party.url(scope="openid offline_access"))).error is None


def test_who_lets_an_app_in_for_good_is_told_by_mail_once(site: Site) -> None:
    party, browser, person, page = asked(site)
    party.read(browser.allow(page))
    assert read_mails(site) == []

    lasting = "openid offline_access"
    party.read(browser.allow(browser.go(party.url(scope=lasting))))
    party.read(browser.allow(browser.go(party.url(scope=f"{lasting} profile", prompt="consent"))))

    [mail] = read_mails(site)
    assert (mail.to, mail.subject) == (person.email, "Your ID: An app has access when you are away")
    assert "What: " in mail.text


def test_a_yes_is_remembered_for_one_client_and_one_person(site: Site) -> None:
    _, browser, _, page = asked(site)
    browser.allow(page)
    other = RelyingParty(site, make_client(site))

    assert 'id="allow"' in browser.go(other.url()).text


def test_a_native_app_is_asked_about_every_time(site: Site) -> None:
    party, browser, _, _ = signed_in(site, client_type="native")

    assert 'id="allow"' in browser.go(party.url()).text


def test_an_app_of_the_house_asks_nothing(site: Site) -> None:
    party = RelyingParty(site, make_client(site, skip_consent=True))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)

    answer = party.read(browser.log_in(browser.go(party.url()), person))

    assert party.redeem(answer.code).status_code == 200


def test_another_browser_cannot_answer(site: Site) -> None:
    party, _, _, page = asked(site)
    _, stranger, _, _ = signed_in(site)
    action = Page(page).action()
    before = row_counts(site)
    own = stranger.go(RelyingParty(site, make_client(site)).url())
    token = Page(own).hidden()["csrf_token"]

    shown = stranger.client.get(action)
    resumed = stranger.client.get(action.replace("consent", "authorize"))
    logged = stranger.client.get("/login", params={"request_id": action.rpartition("/")[2]})
    sent = stranger.client.post(
        action,
        data={**Page(page).hidden(), "csrf_token": token, "decision": "allow"},
        headers={"origin": site.issuer},
    )

    assert [shown.status_code, resumed.status_code, logged.status_code] == [400, 400, 400]
    assert sent.status_code == 400
    assert not any("location" in answer.headers for answer in (shown, resumed, logged, sent))
    assert row_counts(site)["consents"] == before["consents"]
    assert party.app.redirect_uri not in sent.text


def test_a_double_click_makes_one_code(site: Site) -> None:
    party, browser, _, page = asked(site)

    first = party.read(browser.allow(page))
    second = browser.allow(page)

    assert party.redeem(first.code).status_code == 200
    assert second.status_code == 400
    assert "location" not in second.headers


def test_two_answers_before_the_first_one_is_followed_make_one_code(site: Site) -> None:
    party, browser, _, page = asked(site)
    form = {**Page(page).hidden(), "decision": "allow"}
    headers = {"origin": site.issuer}
    locations = [
        browser.client.post(Page(page).action(), data=form, headers=headers).headers["location"]
        for _ in range(2)
    ]

    answers = [browser.client.get(location) for location in locations]

    assert [answer.status_code for answer in answers] == [303, 400]
    assert party.redeem(party.read(answers[0]).code).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example.org"},
        {"origin": "null"},
        {"origin": "https://id.example.com.evil.example.org"},
        {"origin": "https://id.example.com", "sec-fetch-site": "cross-site"},
        {"origin": "https://id.example.com", "sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_a_foreign_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    _, browser, _, page = asked(site)
    before = row_counts(site)

    answer = browser.client.post(
        Page(page).action(), data={**Page(page).hidden(), "decision": "allow"}, headers=headers
    )

    assert answer.status_code == 403
    assert row_counts(site) == before


@pytest.mark.parametrize("token", ["", "x", "\u00e9", "0" * 64, None])
def test_a_form_without_our_token_is_refused(site: Site, token: str | None) -> None:
    _, browser, _, page = asked(site)
    form = {**Page(page).hidden(), "csrf_token": token, "decision": "allow"}
    before = row_counts(site)

    answer = browser.client.post(
        Page(page).action(),
        data={name: value for name, value in form.items() if value is not None},
        headers={"origin": site.issuer},
    )

    assert answer.status_code == 403
    assert row_counts(site) == before


def test_what_is_added_to_the_form_is_ignored(site: Site) -> None:
    party, browser, person, page = asked(site)

    answer = browser.send(
        page,
        decision="allow",
        client_id="other",
        scope="openid profile email offline_access admin",
        redirect_uri="https://evil.example.org/",
        user_id="other",
        state="other",
    )
    tokens = party.redeem(party.read(answer).code).json()

    assert tokens["scope"] == "email openid profile"
    assert party.read(answer).params["state"] == party.state
    assert party.userinfo(tokens["access_token"]).json()["sub"] == person.id


@pytest.mark.parametrize("decision", ["", "maybe", "ALLOW"])
def test_what_is_no_answer_is_asked_again(site: Site, decision: str) -> None:
    _, browser, _, page = asked(site)

    again = browser.send(page, decision=decision)

    assert 'id="allow"' in again.text


def test_looking_at_the_page_allows_nothing(site: Site) -> None:
    party, browser, _, page = asked(site)
    action = Page(page).action()

    for method in ("GET", "HEAD"):
        browser.client.request(method, action, params={"decision": "allow"})

    assert 'id="allow"' in browser.go(party.url()).text


def test_the_answer_of_a_session_begun_meanwhile_does_not_count(site: Site) -> None:
    party, browser, _, page = asked(site)
    other = make_user(site)
    browser.client.cookies.delete("__Host-sid")
    browser.log_in(browser.go(party.url()), other)

    again = browser.allow(page)

    assert 'id="allow"' in again.text
    assert other.username in again.text


def test_a_client_that_was_disabled_meanwhile_gets_nothing(site: Site) -> None:
    party, browser, _, page = asked(site)
    with site.db() as db:
        clients.change(db, party.app.client_id, disabled_at=site.clock.now)

    shown = browser.client.get(Page(page).action())
    allowed = browser.allow(page)
    denied = browser.deny(page)

    assert [shown.status_code, allowed.status_code, denied.status_code] == [400, 400, 400]
    assert not any("location" in answer.headers for answer in (shown, allowed, denied))


def test_nothing_is_allowed_by_a_session_that_is_being_ended(site: Site) -> None:
    """The app would get its access unasked when the owner signs in again."""
    _, browser, person, page = asked(site)

    with site.db() as db:
        endings.disown(db, person.id, site.clock.now, site.clock.now)
        allow = held_up(lambda: browser.allow(page))
    allow()

    with site.db() as db:
        assert consents.permissions_of(db, person.id) == []


def test_no_code_is_made_by_what_is_being_taken_back(site: Site) -> None:
    party, browser, person, page = asked(site)
    party.read(browser.allow(page))

    with site.db() as db:
        endings.withdraw_client(db, person.id, party.app.client_id, site.clock.now)
        again = held_up(lambda: browser.go(party.url()))
    answer = again()

    assert 'id="allow"' in answer.text


def test_what_is_allowed_while_it_is_taken_back_is_allowed_anew(site: Site) -> None:
    party, browser, person, page = asked(site)
    party.read(browser.allow(page))
    again = browser.go(party.url(prompt="consent"))

    with site.db() as db:
        db.session.execute(select(Consent).with_for_update())
        allow = held_up(lambda: browser.allow(again))
        endings.withdraw_client(db, person.id, party.app.client_id, site.clock.now)
    answer = party.read(allow())

    assert answer.error is None
    with site.db() as db:
        [(client_id, _, _)] = consents.permissions_of(db, person.id)
    assert client_id == party.app.client_id


def test_a_request_is_not_refused_when_it_is_being_answered(site: Site) -> None:
    _, browser, _, page = asked(site)
    request_id = Page(page).action().rsplit("/", 1)[-1]

    with site.db() as db:
        assert authorization_requests.complete(db, request_id, site.clock.now)
        deny = held_up(lambda: browser.deny(page))
    answer = deny()

    assert answer.status_code == 400
    assert "location" not in answer.headers
    with site.db() as db:
        assert Event.CONSENT_DENIED not in db.session.scalars(select(AuditEvent.event)).all()


def test_who_allows_lasting_access_twice_at_once_is_told_of_it_once(site: Site) -> None:
    person, client = make_user(site), make_client(site)
    party, browser = RelyingParty(site, client), Browser(site.browser(), site.issuer)
    page = browser.log_in(browser.go(party.url(scope="openid offline_access")), person)

    with site.db() as db:
        found = clients.find(db, client.client_id)
        assert found is not None
        lasting = Permission(frozenset({"openid", "offline_access"}))
        consents.remember(db, person.id, found, lasting, site.clock.now)
        allow = held_up(lambda: browser.allow(page))
    party.read(allow())

    assert read_mails(site) == []
