"""The logout plans: RP-Initiated, Back-Channel and Front-Channel."""

import re
import secrets
from html import unescape
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from oidc_server.jobs.logout_delivery import deliver
from tests.conformance import checks
from tests.conformance.answers import Tokens
from tests.conformance.conftest import person_with_every_claim, suite_for
from tests.conformance.suite import KEYS, Party, Suite
from tests.factories import Person
from tests.services.neighbour import Neighbour
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


@pytest.mark.parametrize("added", ["/other", "?foo=bar"])
def test_an_address_that_is_not_registered_is_a_page(
    suite: Suite, person: Person, added: str
) -> None:
    """oidcc-rp-initiated-logout-bad-post-logout-redirect-uri,
    oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri."""
    party, tokens = signed_in(suite, person)

    answer = party.log_out(
        id_token_hint=tokens.body["id_token"], post_logout_redirect_uri=AFTER + added, state="s"
    )

    assert checks.is_page(answer)


def test_a_hint_that_is_not_ours_is_a_page(suite: Suite, person: Person) -> None:
    """oidcc-rp-initiated-logout-modified-id-token-hint,
    oidcc-rp-initiated-logout-bad-id-token-hint."""
    party, tokens = signed_in(suite, person)
    hints = [
        jwt.encode(tokens.id_token, "", algorithm="none", headers={"kid": tokens.header["kid"]}),
        KEYS[1].sign(tokens.id_token),
    ]

    answers = [
        party.log_out(id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s")
        for hint in hints
    ]

    assert all(checks.is_page(answer) for answer in answers)


@pytest.mark.parametrize(
    "params", [{}, {"state": "s"}, {"post_logout_redirect_uri": AFTER, "state": "s"}]
)
def test_without_a_hint_the_person_stays_and_says_so_by_a_button(
    suite: Suite, person: Person, params: dict[str, str]
) -> None:
    """oidcc-rp-initiated-logout-no-params, oidcc-rp-initiated-logout-only-state,
    oidcc-rp-initiated-logout-no-id-token-hint."""
    party, _ = signed_in(suite, person)

    asked = party.log_out(**params)
    answer = party.browser.send(asked)

    assert checks.is_page(asked)
    assert checks.is_page(answer)
    assert party.silently().error == "login_required"


def test_without_an_address_it_ends_on_a_page(suite: Suite, person: Person) -> None:
    """oidcc-rp-initiated-logout-no-post-logout-redirect-uri."""
    party, tokens = signed_in(suite, person)

    answer = party.log_out(id_token_hint=tokens.body["id_token"], state="s")

    assert checks.is_page(answer)
    assert party.silently().error == "login_required"


def test_a_client_is_told_behind_the_scenes(neighbourly: Site, other: Neighbour) -> None:
    """oidcc-backchannel-rp-initiated-logout."""
    suite = suite_for(neighbourly)
    party, tokens = signed_in(
        suite,
        person_with_every_claim(neighbourly),
        backchannel_logout_uri=other.url("/backchannel", host="localhost"),
        backchannel_logout_session_required=True,
    )

    answer = party.log_out(
        id_token_hint=tokens.body["id_token"], post_logout_redirect_uri=AFTER, state="s"
    )
    deliver(neighbourly.runtime, Event())

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
    assert page.headers["refresh"].endswith(f";url={AFTER}?state=s")
    assert party.silently().error == "login_required"
