"""What must not sign anybody in: forged answers, answers of others, accounts that look alike."""

import pytest
from sqlalchemy import select

from oidc_server.domain import endings, identities
from oidc_server.domain.users import User
from tests.authentication.forms import csrf, is_signed_in, new_browser, post, post_to, sign_in
from tests.authentication.providers.leaving import (
    add_provider,
    come_back,
    leave,
    onward,
    press,
    sign_in_with,
)
from tests.factories import make_user
from tests.services.databases import sqlite_url
from tests.services.provider import new_key, running_provider


@pytest.fixture(scope="module")
def database_url(tmp_path_factory):
    """One database will do: what is tried here is decided before it is asked."""
    return sqlite_url(tmp_path_factory.mktemp("database"))


@pytest.fixture
def victim(site, provider):
    """Somebody who signs in with the provider."""
    person, known = make_user(site), add_provider(site, provider)
    with site.db() as db:
        identities.link(db, person.id, known, provider.sub, None, site.clock.now)
    return person


def assert_refused(browser, page, words="failed."):
    assert page.status_code == 400, page.text
    assert words in page.text
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "http://127.0.0.1:1"),
        ("iss", None),
        ("aud", "somebody-else"),
        ("aud", ["us", "somebody-else"]),
        ("aud", None),
        ("azp", "somebody-else"),
        ("nonce", "of another sign-in"),
        ("nonce", None),
        ("exp", 1_700_000_000),
        ("exp", None),
        ("iat", 4_000_000_000),
        ("iat", None),
        ("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("sub", ""),
        ("sub", None),
        ("sub", ["ada-there"]),
        ("sub", "x" * 256),
        ("nbf", 4_000_000_000),
    ],
)
def test_an_id_token_that_is_wrong_in_one_claim(site, provider, victim, claim, value):
    provider.token = {claim: value}
    browser = new_browser(site)

    assert_refused(browser, sign_in_with(browser, provider))


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_an_id_token_that_anybody_could_have_made(site, provider, victim, alg):
    provider.alg = alg
    browser = new_browser(site)

    assert_refused(browser, sign_in_with(browser, provider))


def test_an_id_token_signed_by_a_key_that_is_not_the_providers(site, provider, victim):
    provider.published = [provider.key]
    provider.key = new_key("foreign")
    browser = new_browser(site)

    assert_refused(browser, sign_in_with(browser, provider))
    asked = provider.paths_asked("/jwks")
    assert_refused(new_browser(site), sign_in_with(new_browser(site), provider))
    assert provider.paths_asked("/jwks") == asked  # forged kids make us hammer nobody


def test_a_key_of_the_same_kid_that_is_not_the_providers(site, provider, victim):
    provider.published = [provider.key]
    provider.key = new_key("first")
    browser = new_browser(site)

    assert_refused(browser, sign_in_with(browser, provider))


def test_metadata_that_speaks_for_another_issuer(site, provider, victim):
    provider.metadata = {"issuer": "https://accounts.example"}
    browser = new_browser(site)

    page = browser.client.get("/login")
    assert press(browser, page).status_code == 503


@pytest.mark.parametrize("iss", [None, "http://127.0.0.1:1"])
def test_an_answer_that_does_not_name_the_issuer(site, provider, victim, iss):
    browser = new_browser(site)

    query = provider.authorize(leave(browser), iss=iss)

    assert_refused(browser, come_back(browser, query))
    assert provider.paths_asked("/token") == 0


@pytest.mark.parametrize("state", [None, "", "A" * 43, "\u00e4"])
def test_an_answer_with_a_state_that_nobody_has(site, provider, victim, state):
    browser = new_browser(site)

    query = provider.authorize(leave(browser), state=state)

    assert_refused(browser, come_back(browser, query), "is over.")
    assert provider.paths_asked("/token") == 0


def test_an_answer_to_what_another_browser_began(site, provider, victim):
    attacker, browser = new_browser(site), new_browser(site)
    browser.client.get("/login")

    query = provider.authorize(leave(attacker))

    assert_refused(browser, come_back(browser, query), "is over.")


def test_an_answer_that_comes_twice(site, provider, victim):
    browser = new_browser(site)
    query = provider.authorize(leave(browser))
    come_back(browser, query)
    browser.client.cookies.delete("sid")

    assert_refused(browser, come_back(browser, query), "is over.")
    assert provider.paths_asked("/token") == 1


def test_an_answer_that_comes_too_late(site, provider, victim):
    browser = new_browser(site)
    query = provider.authorize(leave(browser))
    site.clock.advance(16 * 60)

    assert_refused(browser, come_back(browser, query), "is over.")


def test_an_answer_of_one_provider_at_the_callback_of_another(site, provider, victim):
    browser = new_browser(site)
    with running_provider(lambda: site.clock().timestamp()) as evil:
        add_provider(site, evil, "evil")

        query = evil.authorize(leave(browser, name="evil"))
        page = come_back(browser, query, name="acme")

        assert_refused(browser, page, "is over.")
        assert provider.paths_asked("/token") == evil.paths_asked("/token") == 0


def test_the_same_sub_at_another_provider_is_somebody_else(site, provider, victim):
    browser = new_browser(site)
    with running_provider(lambda: site.clock().timestamp()) as evil:
        add_provider(site, evil, "evil")
        evil.sub = provider.sub

        page = sign_in_with(browser, evil, name="evil")

    assert "/login/providers/new/" in str(page.url)
    assert not is_signed_in(browser)


@pytest.mark.parametrize("trusts_email", [False, True])
@pytest.mark.parametrize("verified", [False, True, "true", None])
def test_an_address_that_somebody_has_here_opens_nothing(site, provider, trusts_email, verified):
    person = make_user(site)
    add_provider(site, provider, trusts_email=trusts_email)
    provider.claims = {"email": person.email, "email_verified": verified}
    browser = new_browser(site)

    page = sign_in_with(browser, provider)

    assert "/login/providers/new/" in str(page.url)
    assert not is_signed_in(browser)
    # Who has shown that the address is theirs may know that an account has it; nobody else.
    assert ('id="known"' in page.text) == (trusts_email and verified is True)
    made = post_to(
        browser,
        str(page.url.path),
        csrf_token=csrf(browser),
        username="intruder",
        email=person.email,
        name="",
    )
    if trusts_email and verified is True:
        assert made.status_code == 409
    else:
        assert _emails_verified(site, "intruder") == [False]


def test_an_address_is_verified_only_by_a_provider_that_is_trusted_for_it(site, provider):
    add_provider(site, provider, trusts_email=True)
    provider.claims = {"email": "ada@there.example", "email_verified": True}
    browser = new_browser(site)

    page = sign_in_with(browser, provider)
    post(browser, page, username="ada", email="mallory@there.example")

    assert _emails_verified(site, "ada") == [True]
    assert "mallory@there.example" not in browser.client.get("/account/profile").text


@pytest.mark.parametrize("verified", [False, True, None])
def test_an_address_is_verified_only_where_it_is_named(site, provider, verified):
    add_provider(site, provider, trusts_email=True)
    provider.claims = {"email_verified": not verified}
    provider.userinfo = {
        "sub": provider.sub,
        "email": "ada@there.example",
        "email_verified": verified,
    }
    browser = new_browser(site)

    page = sign_in_with(browser, provider)
    post(browser, page, username="ada", email="ada@there.example")

    assert _emails_verified(site, "ada") == [verified is True]


def test_userinfo_of_somebody_else(site, provider, victim):
    provider.userinfo = {"sub": "another", "email": "a@there.example"}
    browser = new_browser(site)

    assert_refused(browser, sign_in_with(browser, provider))


def test_a_disabled_account_stays_shut(site, provider, victim):
    with site.db() as db:
        endings.disable_user(db, victim.id, site.clock.now)
    browser = new_browser(site)

    page = sign_in_with(browser, provider)

    assert page.status_code == 403
    assert "is closed" in page.text
    assert not is_signed_in(browser)


def test_where_somebody_came_from_leads_to_no_other_site(site, provider, victim):
    browser = new_browser(site)
    fields = {"csrf_token": csrf(browser), "return_to": "https://evil.example/account"}
    left = post_to(browser, "/login/providers/acme", **fields)
    query = provider.authorize(onward(left))
    home = browser.client.get(f"/login/providers/acme/callback?{query}&return_to=//evil.example")

    assert home.headers["location"] == "/account"


def test_the_button_cannot_be_pressed_from_another_site(site, provider, victim):
    browser = new_browser(site)
    answer = browser.client.post(
        "/login/providers/acme",
        data={"csrf_token": csrf(browser)},
        headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    )

    assert answer.status_code == 403


def test_a_newcomer_of_another_browser_cannot_be_taken_over(site, provider):
    add_provider(site, provider)
    person = make_user(site)
    attacker, browser = new_browser(site), new_browser(site)
    waiting = str(sign_in_with(attacker, provider).url.path)
    sign_in(browser, person.username)

    assert browser.client.get(waiting).status_code == 400
    connect = waiting.replace("/new/", "/connect/")
    assert browser.client.get(connect).status_code == 400


def _emails_verified(site, username):
    with site.db() as db:
        rows = select(User.email_verified_at).where(User.canonical_username == username)
        return [at is not None for at in db.session.scalars(rows)]
