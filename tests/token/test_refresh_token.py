"""Refreshing: RFC 6749 §6, RFC 9700 §4.14.2, Core §11 and §12."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oidc_server.domain import clients, endings
from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.tokens import claims_of

DAY = 86_400
OFFLINE = "openid profile email offline_access"


def offline(site: Site) -> tuple[RelyingParty, Browser, dict[str, Any]]:
    """A client that may go on without its person."""
    party, browser, person, _ = signed_in(site)
    tokens: dict[str, Any] = party.redeem(
        party.authorize(browser, person, scope=OFFLINE).code
    ).json()
    return party, browser, tokens


def refused(answer: Any, error: str = "invalid_grant") -> bool:
    assert answer.headers["cache-control"] == "no-store"
    return (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_refresh_rotates_and_tells_the_same_person(site: Site) -> None:
    party, _, person, first = signed_in(site)
    site.clock.advance(100)

    response = party.refresh(first["refresh_token"])

    second = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert second["token_type"] == "Bearer"
    assert second["expires_in"] == 600
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert party.userinfo(second["access_token"]).json()["sub"] == person.id
    before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
    for name in ("iss", "sub", "aud", "auth_time", "sid"):
        assert after[name] == before[name]
    assert after["iat"] == before["iat"] + 100
    assert "nonce" not in after


def test_a_chain_goes_on(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    token = tokens["refresh_token"]
    seen = {token}

    for _ in range(5):
        site.clock.advance(60)
        token = party.refresh(token).json()["refresh_token"]
        seen.add(token)

    assert len(seen) == 6


def test_a_retry_within_the_grace_gets_the_same_successor(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    first = party.refresh(tokens["refresh_token"]).json()
    site.clock.advance(9)

    second = party.refresh(tokens["refresh_token"]).json()

    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert party.userinfo(first["access_token"]).status_code == 200
    assert party.userinfo(second["access_token"]).status_code == 200
    assert party.refresh(second["refresh_token"]).status_code == 200


def test_a_reuse_after_the_grace_kills_everything(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    second = party.refresh(tokens["refresh_token"]).json()
    site.clock.advance(11)

    assert refused(party.refresh(tokens["refresh_token"]))
    assert refused(party.refresh(second["refresh_token"]))
    assert party.userinfo(second["access_token"]).status_code == 401
    assert party.introspect(tokens["access_token"]) == {"active": False}


def test_an_older_generation_kills_everything_within_the_grace(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    second = party.refresh(tokens["refresh_token"]).json()
    third = party.refresh(second["refresh_token"]).json()

    assert refused(party.refresh(tokens["refresh_token"]))
    assert refused(party.refresh(third["refresh_token"]))
    assert party.userinfo(third["access_token"]).status_code == 401


def test_without_grace_a_second_use_kills_everything(start_site: Callable[..., Site]) -> None:
    party, _, _, tokens = signed_in(start_site(refresh_token_grace=0))
    second = party.refresh(tokens["refresh_token"]).json()

    assert refused(party.refresh(tokens["refresh_token"]))
    assert refused(party.refresh(second["refresh_token"]))


def test_another_client_has_no_effect(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    spent = tokens["refresh_token"]
    live = party.refresh(spent).json()["refresh_token"]
    site.clock.advance(100)

    for stranger in (make_client(site), make_client(site, "spa")):
        for token in (spent, live, "unknown"):
            answer = RelyingParty(site, stranger).refresh(token)
            assert refused(answer)
            assert answer.json()["error_description"] == (
                "The refresh token is unknown, or was given to another client."
            )

    assert party.refresh(live).status_code == 200


def test_a_refused_request_spends_nothing(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    token = tokens["refresh_token"]

    wider = party.refresh(token, scope=f"{OFFLINE} admin")
    foreign = party.refresh(token, resource="https://api.example.net/unknown")
    site.clock.advance(100)

    assert refused(wider, "invalid_scope")
    assert refused(foreign, "invalid_target")
    assert party.refresh(token).status_code == 200


def test_a_scope_that_was_not_granted_is_named(site: Site) -> None:
    party, _, _, tokens = signed_in(site)

    two = party.refresh(tokens["refresh_token"], scope="profile payments admin")
    odd = party.refresh(tokens["refresh_token"], scope='a"b' + "x" * 200)

    assert refused(two, "invalid_scope")
    assert two.json()["error_description"] == "The scope admin payments was not granted."
    assert refused(odd, "invalid_scope")
    assert odd.json()["error_description"] == f"The scope a'b{'x' * 77}... was not granted."


def test_less_can_be_asked_for_and_everything_again(site: Site) -> None:
    party, _, _, tokens = signed_in(site)

    less = party.refresh(tokens["refresh_token"], scope="email").json()
    full = party.refresh(less["refresh_token"]).json()
    same = party.refresh(full["refresh_token"], scope="openid profile email").json()

    assert less["scope"] == "email"
    assert "id_token" not in less
    assert party.userinfo(less["access_token"]).status_code == 403
    assert full["scope"] == same["scope"] == "email openid profile"
    assert party.userinfo(full["access_token"]).status_code == 200


DAMAGED = ("", "x", "x" * 43, "\u00e9", "x" * 5000)


@pytest.mark.parametrize("token", DAMAGED)
def test_what_is_no_refresh_token_is_refused(site: Site, token: str) -> None:
    party = RelyingParty(site, make_client(site))

    assert refused(party.refresh(token), "invalid_grant" if token else "invalid_request")


def test_a_damaged_token_is_refused_and_harms_nothing(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    token: str = tokens["refresh_token"]

    for damaged in (token[:-1], f"{token}x", token.swapcase(), f" {token}", f"{token}\n"):
        assert refused(party.refresh(damaged))
    for other in (tokens["access_token"], tokens["id_token"]):
        assert refused(party.refresh(other))

    assert party.refresh(token).status_code == 200


def test_a_chain_ends_when_unused_for_two_weeks(site: Site) -> None:
    party, _, tokens = offline(site)

    site.clock.advance(14 * DAY - 1)
    second = party.refresh(tokens["refresh_token"])
    site.clock.advance(14 * DAY)

    assert second.status_code == 200
    assert refused(party.refresh(second.json()["refresh_token"]))


def test_a_chain_ends_after_thirty_days_in_any_case(site: Site) -> None:
    party, _, tokens = offline(site)
    token = tokens["refresh_token"]

    for _ in range(29):
        site.clock.advance(DAY)
        token = party.refresh(token).json()["refresh_token"]
    site.clock.advance(DAY)

    assert refused(party.refresh(token))


def test_without_offline_access_it_ends_with_the_session(site: Site) -> None:
    party, browser, _, tokens = signed_in(site)

    browser.go(f"/logout?id_token_hint={tokens['id_token']}")

    assert refused(party.refresh(tokens["refresh_token"]))
    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_without_offline_access_it_ends_when_the_session_expires(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    site.clock.advance(12 * 3600)

    assert refused(party.refresh(tokens["refresh_token"]))
    assert party.introspect(tokens["refresh_token"]) == {"active": False}


def test_offline_access_outlives_the_session(site: Site) -> None:
    party, browser, tokens = offline(site)

    browser.go(f"/logout?id_token_hint={tokens['id_token']}")
    site.clock.advance(DAY)

    refreshed = party.refresh(tokens["refresh_token"])
    assert refreshed.status_code == 200
    assert party.userinfo(refreshed.json()["access_token"]).status_code == 200


def test_a_client_without_the_grant_gets_none_and_may_use_none(site: Site) -> None:
    party, browser, person, tokens = signed_in(site, grant_types=("authorization_code",))
    _, _, _, others = signed_in(site)

    again = party.redeem(party.authorize(browser, person, scope=OFFLINE).code).json()

    assert "refresh_token" not in tokens
    assert "refresh_token" not in again
    assert again["scope"] == "email openid profile"
    assert refused(party.refresh(others["refresh_token"]), "unauthorized_client")


def test_a_public_client_refreshes_without_a_secret(site: Site) -> None:
    party, _, _, tokens = signed_in(site, client_type="spa")

    second = party.refresh(tokens["refresh_token"])

    assert second.status_code == 200
    assert second.json()["refresh_token"] != tokens["refresh_token"]


def test_a_disabled_person_cannot_go_on_at_the_next_request(site: Site) -> None:
    party, browser, person, _ = signed_in(site)
    tokens = party.redeem(party.authorize(browser, person, scope=OFFLINE).code).json()
    code = party.read(browser.go(party.url(scope=OFFLINE))).code

    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.introspect(tokens["access_token"]) == {"active": False}
    assert party.introspect(tokens["refresh_token"]) == {"active": False}
    assert refused(party.refresh(tokens["refresh_token"]))
    assert refused(party.redeem(code))
    assert party.read(browser.go(party.url(prompt="none"))).error == "login_required"


def test_a_scope_that_was_taken_from_the_client_is_in_no_later_token(site: Site) -> None:
    party, browser, person, tokens = signed_in(site)
    code = party.authorize(browser, person).code
    with site.db() as db:
        metadata = clients.load(db, party.app.client_id).metadata
        less = replace(metadata, scopes=frozenset({"openid"}))
        clients.change(db, party.app.client_id, metadata=less)

    for answer in (party.refresh(tokens["refresh_token"]), party.redeem(code)):
        assert answer.json()["scope"] == "openid"
        assert "email" not in party.userinfo(answer.json()["access_token"]).json()


def test_other_people_go_on(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    other = make_user(site)

    with site.db() as db:
        endings.disable_user(db, other.id, site.clock.now)

    assert party.refresh(tokens["refresh_token"]).status_code == 200
