"""A browser in front of a service that knows nothing of OAuth."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oidc_server.domain import endings, roles, user_sessions
from oidc_server.domain.factors.strength import PHISHING_RESISTANT_ACR, TWO_FACTOR_ACR
from oidc_server.security import base64url
from tests.authentication.forms import new_browser, post, sign_in, signed_in_browser
from tests.browser import Browser
from tests.factories import Person, make_user
from tests.factors import add_authenticator, someone_with_an_app
from tests.forward_auth.asking import PAGE, ask, identity
from tests.site import Site


@pytest.fixture
def person(site: Site) -> Person:
    return make_user(site)


@pytest.fixture
def browser(site: Site, person: Person) -> Browser:
    return signed_in_browser(site, person)


def test_who_is_signed_in_passes_with_their_name(browser: Browser, person: Person) -> None:
    answer = ask(browser.client, "accept=session")

    assert answer.status_code == 200
    assert identity(answer) == {
        "user": person.id,
        "username": person.username,
        "email": person.email,
        "roles": "user",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == b""
    assert "set-cookie" not in answer.headers


def test_an_address_that_nobody_proved_is_not_told(site: Site) -> None:
    person, browser = make_user(site, email_verified=False), new_browser(site)
    sign_in(browser, person.username)

    answer = ask(browser.client)

    assert answer.status_code == 200
    assert "email" not in identity(answer)


def test_names_travel_as_ascii(site: Site) -> None:
    person, browser = make_user(site, username="jürgen"), new_browser(site)
    sign_in(browser, person.username)

    told = identity(ask(browser.client))

    assert told["username"] == "j%C3%BCrgen"


def test_a_stranger_with_a_browser_is_sent_to_sign_in_and_comes_back(
    site: Site, person: Person
) -> None:
    browser = new_browser(site)

    refusal = ask(browser.client, "accept=session", uri="/reports/7?sort=a%20b&to=//x", **PAGE)
    location = refusal.headers["location"]
    signed_in = post(
        browser,
        browser.client.get(location),
        username=person.username,
        password=person.password,
    )
    offer = browser.client.get(signed_in.headers["location"])
    back = offer if offer.status_code == 303 else _no_passkey(browser, offer)

    assert refusal.status_code == 401
    assert urlsplit(location).path == "/login"
    assert back.headers["location"] == "/reports/7?sort=a%20b&to=//x"


def _no_passkey(browser: Browser, offer: Any) -> Any:
    """Decline the offer of a passkey, and follow to the way back."""
    declined = post(browser, offer)
    return browser.client.get(declined.headers["location"])


def test_where_the_gateway_cannot_redirect_the_answer_does(site: Site) -> None:
    answer = ask(site.browser(), "sign_in=redirect", **PAGE)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?return_to=%2Fforward-auth%2Fback%2F")


@pytest.mark.parametrize(
    ("asked", "headers"),
    [
        ({"method": "POST"}, PAGE),
        ({}, {"accept": "application/json"}),
        ({}, {"accept": "*/*"}),
        ({}, {**PAGE, "x-forwarded-host": "other.example.com"}),
        ({"uri": "//evil.example"}, PAGE),
        ({"uri": "/\\evil.example"}, PAGE),
        ({"uri": "/" + "a" * 1000}, PAGE),
        ({"uri": "https://evil.example/"}, PAGE),
    ],
)
def test_nobody_is_sent_to_sign_in_who_could_not_come_back(
    site: Site, asked: dict[str, str], headers: dict[str, str]
) -> None:
    for demands in ("accept=session", "accept=session&sign_in=redirect"):
        answer = ask(site.browser(), demands, **asked, **headers)

        assert answer.status_code == 401
        assert "location" not in answer.headers
        assert answer.json()["error"] == "login_required"


@pytest.mark.parametrize(
    "uri", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nx: y", "/\tb"]
)
def test_the_way_back_leads_to_no_other_host(site: Site, uri: str) -> None:
    answer = site.http.get(f"/forward-auth/back/{base64url.encode(uri.encode()) or '-'}")

    assert answer.status_code == 404


def test_a_session_is_dead_the_moment_it_ends(site: Site, browser: Browser, person: Person) -> None:
    assert ask(browser.client).status_code == 200

    with site.db() as db:
        endings.end_sessions_of_user(db, person.id, site.clock.now, keep=None)

    assert ask(browser.client).status_code == 401


def test_a_disabled_person_is_out_at_once(site: Site, browser: Browser, person: Person) -> None:
    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    assert ask(browser.client).status_code == 401


def test_a_role_lets_in_who_has_one_of_those_named(
    site: Site, browser: Browser, person: Person
) -> None:
    before = ask(browser.client, "role=moderator%20admin")
    with site.db() as db:
        roles.assign(db, person.id, roles.MODERATOR, site.clock.now)
    after = ask(browser.client, "role=moderator%20admin")

    assert (before.status_code, after.status_code) == (403, 200)
    assert before.json()["error"] == "access_denied"
    assert identity(before) == {}
    assert identity(after)["roles"] == "moderator user"


def test_a_stronger_sign_in_is_asked_of_who_can_do_it(site: Site, browser: Browser) -> None:
    held, authenticator = someone_with_an_app(site)
    stronger = new_browser(site)
    page = stronger.log_in(stronger.go("/login"), held)
    stronger.send(page, code=authenticator.code())

    weak = ask(browser.client, f"acr={TWO_FACTOR_ACR}", **PAGE)
    strong = ask(stronger.client, f"acr={TWO_FACTOR_ACR}", **PAGE)
    too_weak = ask(stronger.client, f"acr={PHISHING_RESISTANT_ACR}", **PAGE)

    assert (weak.status_code, strong.status_code, too_weak.status_code) == (403, 200, 403)


def test_a_weak_session_is_sent_to_its_second_step(site: Site, person: Person) -> None:
    browser = new_browser(site)
    sign_in(browser, person.username)
    add_authenticator(site, person)

    answer = ask(browser.client, f"acr={TWO_FACTOR_ACR}", **PAGE)

    assert answer.status_code == 401
    assert urlsplit(answer.headers["location"]).path == "/login/step-up"
    assert "return_to" in parse_qs(urlsplit(answer.headers["location"]).query)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://id.example.com"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_what_another_site_sends_does_nothing(
    browser: Browser, headers: dict[str, str], status: int
) -> None:
    assert ask(browser.client, method="POST", **headers).status_code == status
    assert ask(browser.client, method="GET", **headers).status_code == 200


def test_reading_leaves_a_session_as_old_as_it_is_and_doing_does_not(
    site: Site, browser: Browser, person: Person
) -> None:
    def last_seen() -> Any:
        with site.db() as db:
            return user_sessions.list_of_user(db, person.id, site.clock.now)[0].last_seen_at

    began = last_seen()
    site.clock.advance(600)

    ask(browser.client)
    assert last_seen() == began
    ask(browser.client, method="POST")
    assert last_seen() == site.clock.now


def test_a_service_for_tokens_is_not_opened_by_a_session(browser: Browser) -> None:
    answer = ask(browser.client, "accept=token", **PAGE)

    assert answer.status_code == 401
    assert "location" not in answer.headers
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "demands",
    [
        "scopes=a",
        "accept=cookie",
        "acr=strong",
        "sign_in=yes",
        "scope=a&scope=b",
        'scope=a"b',
    ],
)
def test_a_demand_that_is_misspelled_lets_nobody_in(browser: Browser, demands: str) -> None:
    assert ask(browser.client, demands).status_code == 400


@pytest.mark.parametrize("missing", ["x-forwarded-method", "x-forwarded-uri"])
def test_a_gateway_that_does_not_say_what_it_asks_about_is_told_so(
    browser: Browser, missing: str
) -> None:
    headers = {"x-forwarded-method": "GET", "x-forwarded-uri": "/"}
    del headers[missing]

    answer = browser.client.get("/forward-auth", headers=headers)

    assert answer.status_code == 400
    assert "X-Forwarded-Method and X-Forwarded-Uri" in answer.json()["error_description"]


def test_a_request_may_stand_in_the_place_of_ours(browser: Browser, person: Person) -> None:
    demands = {"x-forward-auth": "accept=session"}
    cross = {**demands, "sec-fetch-site": "cross-site"}
    address = "/forward-auth/request/reports/7?role=nobody"

    passed = browser.client.get(address, headers=demands)
    posted = browser.client.post(address, headers=demands)
    foreign = browser.client.delete(address, headers=cross)
    silent = browser.client.get(address)

    assert identity(passed)["username"] == person.username
    assert [one.status_code for one in (passed, posted, foreign, silent)] == [200, 200, 403, 400]


def test_a_stranger_in_the_place_of_ours_comes_back_to_the_service(site: Site) -> None:
    headers = {**PAGE, "x-forward-auth": "sign_in=redirect"}
    answer = site.browser().get("/forward-auth/request/reports/7?a=b", headers=headers)

    back = parse_qs(urlsplit(answer.headers["location"]).query)["return_to"][0]
    assert answer.status_code == 303
    assert base64url.decode(back.rpartition("/")[2]) == b"/reports/7?a=b"
