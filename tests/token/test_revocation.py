"""RFC 7009: a client ends its own tokens; the answer tells nothing."""

import pytest
from sqlalchemy import select

from oidc_server.domain.audit import AuditEvent
from tests.factories import make_client
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import row_counts

HINTS = ("", "access_token", "refresh_token", "id_token", "\u00e9")


@pytest.mark.parametrize("hint", HINTS)
def test_an_access_token_ends_alone(site: Site, hint: str) -> None:
    party, _, _, tokens = signed_in(site)
    other = party.refresh(tokens["refresh_token"]).json()

    answer = party.post("/revoke", token=tokens["access_token"], token_type_hint=hint)
    again = party.post("/revoke", token=tokens["access_token"], token_type_hint=hint)

    assert (answer.status_code, answer.content) == (200, b"")
    assert again.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.introspect(tokens["access_token"]) == {"active": False}
    assert party.userinfo(other["access_token"]).status_code == 200
    assert party.refresh(other["refresh_token"]).status_code == 200


@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("spent", [False, True])
def test_a_refresh_token_ends_everything(site: Site, hint: str, spent: bool) -> None:
    party, _, _, tokens = signed_in(site)
    live = party.refresh(tokens["refresh_token"]).json()
    token = tokens["refresh_token"] if spent else live["refresh_token"]

    answer = party.post("/revoke", token=token, token_type_hint=hint)

    assert (answer.status_code, answer.content) == (200, b"")
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.userinfo(live["access_token"]).status_code == 401
    assert party.refresh(live["refresh_token"]).json()["error"] == "invalid_grant"
    assert party.introspect(live["refresh_token"]) == {"active": False}


@pytest.mark.parametrize("client_type", ["web", "spa"])
def test_another_client_has_no_effect(site: Site, client_type) -> None:
    party, _, _, tokens = signed_in(site)
    stranger = RelyingParty(site, make_client(site, client_type))
    before = row_counts(site)

    answers = [
        stranger.post("/revoke", token=token)
        for token in (tokens["access_token"], tokens["refresh_token"], "unknown")
    ]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 3
    assert row_counts(site) == before
    assert party.userinfo(tokens["access_token"]).status_code == 200
    assert party.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("token", ["unknown", "\u00e9", "x" * 60_000, "..", "a.b.c"])
def test_what_is_unknown_gets_the_same_answer(site: Site, token: str) -> None:
    party = RelyingParty(site, make_client(site))
    before = row_counts(site)

    answer = party.post("/revoke", token=token)

    assert (answer.status_code, answer.content) == (200, b"")
    assert row_counts(site) == before


def test_an_id_token_is_not_revoked(site: Site) -> None:
    party, _, _, tokens = signed_in(site)

    answer = party.post("/revoke", token=tokens["id_token"])

    assert answer.status_code == 200
    assert party.userinfo(tokens["access_token"]).status_code == 200


def test_an_expired_token_leaves_no_row(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    site.clock.advance(3600)
    before = row_counts(site)

    answer = party.post("/revoke", token=tokens["access_token"])

    assert answer.status_code == 200
    assert row_counts(site) == before


def test_a_service_ends_its_own_token(site: Site) -> None:
    party = RelyingParty(site, make_client(site, "service"))
    token = party.token(grant_type="client_credentials").json()["access_token"]
    other = party.token(grant_type="client_credentials").json()["access_token"]

    party.post("/revoke", token=token)

    assert party.introspect(token) == {"active": False}
    assert party.introspect(other)["active"] is True


def test_what_is_ended_again_is_written_down_once(site: Site) -> None:
    party, _, _, tokens = signed_in(site)

    for token in ("access_token", "access_token", "refresh_token", "refresh_token"):
        assert party.post("/revoke", token=tokens[token]).status_code == 200

    with site.db() as db:
        events = [row.event for row in db.session.scalars(select(AuditEvent))]
    assert events.count("token.revoked") == events.count("grant.revoked") == 1


def test_a_token_must_be_sent(site: Site) -> None:
    answer = RelyingParty(site, make_client(site)).post("/revoke", token="")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
