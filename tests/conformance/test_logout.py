"""The logout plans; the pages of most modules are in `tests/logout/test_end_session.py`."""

import re
import secrets
from html import unescape
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from oidc_server.jobs.logout_delivery import deliver
from tests.conformance.answers import Tokens
from tests.conformance.conftest import person_with_every_claim, suite_for
from tests.conformance.suite import Party, Suite
from tests.factories import Person
from tests.services.external_service import ExternalService
from tests.site import Site

AFTER = "https://suite.example.org/test/a/server/post_logout_redirect"
EVENTS: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}


def signed_in(suite: Suite, person: Person, **changes: Any) -> tuple[Party, Tokens]:
    party = suite.party(**{"post_logout_redirect_uris": [AFTER], **changes})
    tokens, _ = party.flow(person)
    return party, tokens


@pytest.mark.parametrize("state", [secrets.token_urlsafe(96), None])
def test_who_signs_out_returns_with_the_state_and_nothing_else(
    suite: Suite, person: Person, state: str | None
) -> None:
    """oidcc-rp-initiated-logout, oidcc-rp-initiated-logout-no-state."""
    party, tokens = signed_in(suite, person)

    answer = party.log_out(
        id_token_hint=tokens.body["id_token"], post_logout_redirect_uri=AFTER, state=state
    )

    assert answer.headers["location"] == (AFTER if state is None else f"{AFTER}?state={state}")
    assert party.silently().error == "login_required"


def test_a_client_is_told_behind_the_scenes(private_site: Site, other: ExternalService) -> None:
    """oidcc-backchannel-rp-initiated-logout."""
    suite = suite_for(private_site)
    party, tokens = signed_in(
        suite,
        person_with_every_claim(private_site),
        backchannel_logout_uri=other.url("/backchannel", host="localhost"),
        backchannel_logout_session_required=True,
    )

    answer = party.log_out(
        id_token_hint=tokens.body["id_token"], post_logout_redirect_uri=AFTER, state="s"
    )
    deliver(private_site.runtime, Event())

    assert answer.headers["location"] == f"{AFTER}?state=s"
    [(method, path, headers, body)] = other.asked
    assert (method, path) == ("POST", "/backchannel")
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(body.decode(), strict_parsing=True)
    assert form.keys() == {"logout_token"}
    of_logout_token(party, tokens, form["logout_token"][0])
    assert party.silently().error == "login_required"


def of_logout_token(party: Party, tokens: Tokens, logout_token: str) -> None:
    header = jwt.get_unverified_header(logout_token)
    claims = jwt.decode(
        logout_token,
        party.suite.keys()[header["kid"]].key,
        [party.client["id_token_signed_response_alg"]],
        audience=party.client["client_id"],
        issuer=party.suite.issuer,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims.keys() == {"iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"}
    assert claims["events"] == EVENTS
    for claim in ("sub", "sid"):
        assert claims[claim] == tokens.id_token[claim]


def test_a_client_is_told_in_a_frame(suite: Suite, person: Person) -> None:
    """oidcc-frontchannel-rp-initiated-logout."""
    front = "https://suite.example.org/test/a/server/frontchannel_logout"
    party, tokens = signed_in(
        suite, person, frontchannel_logout_uri=front, frontchannel_logout_session_required=True
    )

    page = party.log_out(
        id_token_hint=tokens.body["id_token"], post_logout_redirect_uri=AFTER, state="s"
    )

    [frame] = [unescape(src) for src in re.findall(r'<iframe[^>]* src="([^"]*)"', page.text)]
    assert frame.startswith(f"{front}?")
    assert parse_qs(urlsplit(frame).query) == {
        "iss": [suite.issuer],
        "sid": [tokens.id_token["sid"]],
    }
    assert f'http-equiv="refresh" content="2; url={AFTER}?state=s"' in page.text
    assert "refresh" not in page.headers  # beside the script it would lead on twice
    assert party.silently().error == "login_required"
