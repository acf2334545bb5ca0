"""Signing in with another provider: what works, and what people see on the way."""

import json
import time
from base64 import b64decode, urlsafe_b64decode
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from oidc_server.domain import endings, factors, identities, identity_providers
from oidc_server.domain.base import table_of
from oidc_server.domain.upstream_sign_ins import UpstreamSignInRow
from oidc_server.domain.user_sessions import UserSession
from oidc_server.observability.metrics import REGISTRY
from tests.authentication.forms import is_signed_in, new_browser, post
from tests.authentication.providers.leaving import (
    add_provider,
    come_back,
    leave,
    onward,
    press,
    sign_in_with,
)
from tests.factories import make_client, make_user
from tests.held_up import held_up
from tests.relying_party import RelyingParty
from tests.services.databases import sqlite_url
from tests.services.provider import new_key, running_provider
from tests.site import running_site, settings_for


def linked_person(site, provider, **said):
    """Somebody whom the provider knows, and who has connected that."""
    person, known = make_user(site), add_provider(site, provider, **said)
    with site.db() as db:
        identities.link(db, person.id, known, provider.sub, "ada@there.example", site.clock.now)
    return person


def sessions_of(site, person):
    with site.db() as db:
        rows = select(UserSession).where(UserSession.user_id == person.id)
        return list(db.session.scalars(rows))


def test_somebody_new_makes_an_account_and_comes_back_to_it(site, provider):
    add_provider(site, provider)
    provider.claims = {"email": "ada@there.example", "preferred_username": "ada"}
    browser = new_browser(site)

    page = sign_in_with(browser, provider)
    made = post(browser, page, username="ada", email="ada@there.example")
    again = new_browser(site)
    home = sign_in_with(again, provider)

    assert 'value="ada"' in page.text
    assert made.status_code == 303, made.text
    assert str(home.url).endswith("/account"), home.text[:3000]


def test_the_request_has_pkce_a_nonce_and_a_state_and_the_secret_goes_encoded(site, provider):
    linked_person(site, provider)
    browser = new_browser(site)

    sign_in_with(browser, provider)

    [asked] = provider.asked
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == len(asked["nonce"]) == len(asked["state"]) == 43
    assert asked["redirect_uri"] == "http://localhost:8000/login/providers/acme/callback"
    assert asked["scope"] == "openid profile email"
    [token] = [one for one in provider.running.asked if one[1] == "/token"]
    basic = b64decode(token[2]["authorization"].removeprefix("Basic ")).decode()
    assert basic == "us:its+secret%3A+with+%2B+signs+%26+more"
    assert "code_verifier=" in token[3].decode()


def test_the_sign_in_is_told_as_one_of_somebody_else_and_as_weak(site, provider):
    linked_person(site, provider)
    party = RelyingParty(site, make_client(site))
    browser = new_browser(site)

    page = browser.go(party.url())
    back = come_back(browser, provider.authorize(onward(press(browser, page))))
    tokens = party.redeem(party.read(browser.allow(back)).code).json()

    told = json.loads(urlsafe_b64decode(tokens["id_token"].split(".")[1] + "=="))
    assert told["amr"] == ["fed"]
    assert told["acr"] == "urn:oidc-server:acr:password"


def test_a_person_from_an_app_gets_back_to_it_as_somebody_new(site, provider):
    add_provider(site, provider)
    party = RelyingParty(site, make_client(site))
    browser = new_browser(site)

    page = browser.go(party.url())
    newcomer = come_back(browser, provider.authorize(onward(press(browser, page))))
    made = post(browser, newcomer, username="ada", email="ada@there.example")
    answer = party.read(browser.allow(browser.go(onward(made))))

    assert party.redeem(answer.code).status_code == 200


def test_the_second_step_is_asked_for_after_a_provider_too(site, provider):
    person = linked_person(site, provider)
    with site.db() as db:
        factors.add_mailed_codes(db, person.id, site.clock.now)
    browser = new_browser(site)

    page = sign_in_with(browser, provider)

    assert "/login/second-step/" in str(page.url)
    assert not is_signed_in(browser)


def test_the_provider_that_was_used_last_is_marked(site, provider):
    linked_person(site, provider)
    browser = new_browser(site)
    before = browser.client.get("/login").text

    sign_in_with(browser, provider)
    browser.client.cookies.delete("sid")
    after = browser.client.get("/login").text

    assert "last used" not in before
    assert "last used" in after


def test_the_list_of_devices_says_how_somebody_signed_in(site, provider):
    linked_person(site, provider)
    browser = new_browser(site)

    sign_in_with(browser, provider)

    assert "with an account elsewhere" in browser.client.get("/account/sessions").text


def test_a_session_is_as_old_as_the_sign_in_that_it_came_of(site, provider):
    person = linked_person(site, provider)
    an_hour_ago = int((site.clock.now - timedelta(hours=1)).timestamp())
    provider.token = {"auth_time": an_hour_ago}

    sign_in_with(new_browser(site), provider)

    [session] = sessions_of(site, person)
    assert session.auth_time == site.clock.now - timedelta(hours=1)


def test_an_app_that_asks_for_a_new_sign_in_gets_none_that_is_old(site, provider):
    linked_person(site, provider)
    party = RelyingParty(site, make_client(site))
    browser = new_browser(site)
    earlier = int((site.clock.now - timedelta(hours=1)).timestamp())

    for stale in (earlier, None):
        provider.token = {"auth_time": stale}
        page = browser.go(party.url(prompt="login"))
        refused = come_back(browser, provider.authorize(onward(press(browser, page))))

        assert provider.asked[-1]["prompt"] == "login"
        assert "did not ask you to sign in again" in refused.text
        assert not is_signed_in(browser)

    provider.token = {}
    page = browser.go(party.url(prompt="login"))
    back = come_back(browser, provider.authorize(onward(press(browser, page))))
    assert 'id="allow"' in back.text


def test_max_age_counts_from_when_the_person_signed_in_there(site, provider):
    linked_person(site, provider)
    party = RelyingParty(site, make_client(site))
    browser = new_browser(site)
    provider.token = {"auth_time": int((site.clock.now - timedelta(minutes=10)).timestamp())}

    page = browser.go(party.url(max_age="300"))
    refused = come_back(browser, provider.authorize(onward(press(browser, page))))
    page = browser.go(party.url(max_age="3000"))
    taken = come_back(browser, provider.authorize(onward(press(browser, page))))

    assert "did not ask you to sign in again" in refused.text
    assert 'id="allow"' in taken.text


def test_who_says_no_there_is_back_on_the_login_page_with_their_app(site, provider):
    add_provider(site, provider)
    party = RelyingParty(site, make_client(site, client_name="Ledger"))
    browser = new_browser(site)
    page = browser.go(party.url())

    query = provider.authorize(onward(press(browser, page)), code=None, error="access_denied")
    back = come_back(browser, query)

    assert back.status_code == 400
    assert "It was cancelled there" in back.text
    assert "to continue to <b>Ledger</b>" in back.text
    assert provider.paths_asked("/token") == 0


def test_a_provider_that_is_away_says_so_and_passwords_still_work(site, provider):
    add_provider(site, provider)
    person, browser = make_user(site), new_browser(site)
    provider.down = {"/.well-known/openid-configuration"}

    page = press(browser, browser.client.get("/login"))
    home = browser.log_in(page, person)

    assert page.status_code == 503
    assert int(page.headers["retry-after"]) >= 1
    assert "<b>Acme does not answer right now.</b>" in page.text
    assert is_signed_in(browser), home.text


def test_a_provider_that_fails_is_left_alone_and_asked_again_later(site, provider):
    linked_person(site, provider)
    provider.down = {"/token"}
    for _ in range(3):
        page = sign_in_with(new_browser(site), provider)
        assert page.status_code == 503, page.text
    asked = len(provider.running.asked)

    browser = new_browser(site)
    alone = press(browser, browser.client.get("/login"))

    assert alone.status_code == 503
    assert len(provider.running.asked) == asked


def test_a_provider_that_fails_is_not_counted_any_more_when_it_is_disabled(site, provider):
    def left_alone():
        return REGISTRY.get_sample_value("oidc_breakers_open", {"service": "provider"}) or 0

    linked_person(site, provider)
    provider.down = {"/token"}
    for _ in range(3):
        sign_in_with(new_browser(site), provider)
    failing = left_alone()
    with site.db() as db:
        found = identity_providers.get(db, "acme")
        identity_providers.disable(db, found, site.clock.now)  # as another process does

    new_browser(site).client.get("/login")

    assert left_alone() == failing - 1


def test_two_providers_fail_each_for_itself(site, provider):
    linked_person(site, provider)
    provider.down = {"/token"}
    for _ in range(3):
        sign_in_with(new_browser(site), provider)
    with running_provider(lambda: site.clock().timestamp()) as other:
        add_provider(site, other, "other")

        page = sign_in_with(new_browser(site), other, name="other")

    assert "/login/providers/new/" in str(page.url)


def test_a_provider_works_again_when_it_is_back(tmp_path, provider):
    settings = settings_for(
        sqlite_url(tmp_path),
        tmp_path,
        issuer="http://localhost:8000",
        breaker_failures=1,
        breaker_open=timedelta(seconds=1),
    )
    with running_site(settings) as site:
        linked_person(site, provider)
        provider.down = {"/token"}
        assert sign_in_with(new_browser(site), provider).status_code == 503
        provider.down = set()
        time.sleep(1.1)

        home = sign_in_with(new_browser(site), provider)

    assert str(home.url).endswith("/account")


def test_a_new_key_of_the_provider_is_taken_at_once(site, provider):
    linked_person(site, provider)
    sign_in_with(new_browser(site), provider)
    site.clock.advance(60)
    provider.key = new_key("second")

    home = sign_in_with(new_browser(site), provider)

    assert str(home.url).endswith("/account")


def test_userinfo_says_what_the_id_token_does_not(site, provider):
    add_provider(site, provider)
    provider.userinfo = {"sub": provider.sub, "email": "ada@there.example", "name": "Ada"}

    page = sign_in_with(new_browser(site), provider)

    assert 'value="ada"' in page.text
    assert 'value="ada@there.example"' in page.text


def test_a_disabled_provider_has_no_button_and_no_callback(site, provider):
    known = add_provider(site, provider)
    browser = new_browser(site)
    query = provider.authorize(leave(browser))

    with site.db() as db:
        identity_providers.disable(db, known, site.clock.now)
    back = come_back(browser, query)

    assert back.status_code == 404
    assert "provider-acme" not in browser.client.get("/login").text


def test_a_provider_that_is_removed_meanwhile_signs_nobody_in(site, provider):
    person = linked_person(site, provider)
    browser = new_browser(site)
    query = provider.authorize(leave(browser))

    with site.db() as db:
        endings.remove_provider(db, identity_providers.get(db, "acme"), site.clock.now)
    back = come_back(browser, query)

    assert back.status_code == 404
    assert not is_signed_in(browser)
    assert sessions_of(site, person) == []


def test_the_state_is_in_no_table(site, provider):
    add_provider(site, provider)
    url = leave(new_browser(site))
    asked = parse_qs(urlsplit(url).query)

    with site.db() as db:
        rows = str(db.session.execute(select(table_of(UpstreamSignInRow))).all())

    assert asked["state"][0] not in rows
    assert asked["nonce"][0] not in rows


def test_nobody_leaves_for_a_provider_that_is_being_removed(site, provider):
    known, browser = add_provider(site, provider), new_browser(site)
    leave(browser)  # so that its metadata is known
    page = browser.client.get("/login")

    with site.db() as db:
        endings.remove_provider(db, known, site.clock.now)
        db.flush()
        leaving = held_up(lambda: press(browser, page))
    answer = leaving()

    assert answer.status_code == 404
