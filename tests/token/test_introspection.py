"""RFC 7662: a client learns of its own tokens; everything else is just not active."""

from typing import Any

import pytest

from oidc_server.domain import clients, endings, grants
from tests.factories import make_client
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

INACTIVE = {"active": False}


def test_a_client_learns_of_its_own_tokens(site: Site) -> None:
    party, _, person, tokens = signed_in(site)
    now = int(site.clock.now.timestamp())

    access = party.introspect(tokens["access_token"])
    refresh = party.introspect(tokens["refresh_token"])

    assert access["active"] is True
    assert access["token_type"] == "Bearer"
    assert access["iss"] == access["aud"] == site.issuer
    assert access["sub"] == person.id
    assert access["username"] == person.username
    assert access["client_id"] == party.app.client_id
    assert access["scope"] == "email openid profile"
    assert (access["iat"], access["exp"]) == (now, now + 600)
    assert refresh["active"] is True
    assert refresh["sub"] == person.id
    assert refresh["exp"] == now + 14 * 86_400


def test_another_client_cannot_tell_a_token_from_garbage(site: Site) -> None:
    _, _, _, tokens = signed_in(site)
    stranger = RelyingParty(site, make_client(site))

    answers = [
        stranger.post("/introspect", token=token)
        for token in (tokens["access_token"], tokens["refresh_token"], "garbage")
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {answer.content for answer in answers} == {b'{"active":false}'}
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_a_client_that_was_allowed_to_learns_of_every_token(site: Site) -> None:
    _, _, person, tokens = signed_in(site)
    gateway = RelyingParty(site, make_client(site, "service", may_introspect=True))

    for name in ("access_token", "refresh_token"):
        told = gateway.introspect(tokens[name])
        assert (told["active"], told["sub"]) == (True, person.id)


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "id_token", "\u00e9"])
def test_a_hint_changes_nothing(site: Site, hint: str) -> None:
    party, _, _, tokens = signed_in(site)

    for name in ("access_token", "refresh_token"):
        assert party.introspect(tokens[name], token_type_hint=hint)["active"] is True


def damaged(tokens: dict[str, Any]) -> list[str]:
    token: str = tokens["access_token"]
    return [
        "garbage",
        "\u00e9",
        "x" * 60_000,
        "..",
        "{}",
        f"{token}x",
        f" {token}",
        token[:-1],
        tokens["id_token"],
        f"{tokens['refresh_token']}x",
        tokens["refresh_token"].swapcase(),
    ]


def test_what_is_no_token_of_ours_is_not_active(site: Site) -> None:
    party, _, _, tokens = signed_in(site)

    for token in damaged(tokens):
        assert party.introspect(token) == INACTIVE, token[:80]


def test_what_is_over_is_not_active(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    fresh = party.refresh(tokens["refresh_token"]).json()
    spent = party.introspect(tokens["refresh_token"])

    site.clock.advance(603)
    expired = party.introspect(fresh["access_token"])
    still = party.introspect(fresh["refresh_token"])
    site.clock.advance(14 * 86_400)

    assert spent == expired == INACTIVE
    assert still["active"] is True
    assert party.introspect(fresh["refresh_token"]) == INACTIVE


def test_a_token_must_be_sent(site: Site) -> None:
    answer = RelyingParty(site, make_client(site)).post("/introspect", token_type_hint="x")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("ended", ["user", "client", "grant"])
def test_what_somebody_ended_is_not_active_at_the_next_request(site: Site, ended: str) -> None:
    party, _, person, tokens = signed_in(site)
    gateway = RelyingParty(site, make_client(site, "service", may_introspect=True))
    assert gateway.introspect(tokens["access_token"])["active"] is True

    with site.db() as db:
        match ended:
            case "user":
                endings.disable_user(db, person.id, site.clock.now)
            case "client":
                clients.change(db, party.app.client_id, disabled_at=site.clock.now)
            case "grant":
                grants.revoke_of_user(db, person.id, site.clock.now)

    assert gateway.introspect(tokens["access_token"]) == INACTIVE
