"""The Form Post Basic plan: the modules of Basic, answered by a form."""

import pytest

from tests.conformance import checks
from tests.conformance.suite import TWICE, Suite
from tests.factories import Person
from tests.site import Site

FORM = "form_post"


def test_a_flow_is_answered_by_a_form(suite: Suite, person: Person) -> None:
    """oidcc-server, oidcc-scope-all."""
    party = suite.party()

    tokens, told = party.flow(person, response_mode=FORM, scope="openid profile email")

    assert {"name", "email"} <= told.keys()
    assert tokens.id_token.keys() <= checks.ID_TOKEN


def test_prompt_none_is_answered_by_a_form_signed_in_or_not(suite: Suite, person: Person) -> None:
    """oidcc-prompt-none-not-logged-in, oidcc-prompt-none-logged-in."""
    party = suite.party()

    refused = party.silently(response_mode=FORM)
    party.flow(person, response_mode=FORM)
    silent = party.silently(response_mode=FORM)

    assert refused.error == "login_required"
    party.tokens(party.redeem(silent))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "never"}, "invalid_request"),
    ],
)
def test_errors_are_answered_by_a_form(
    suite: Suite, changes: dict[str, str | None], error: str
) -> None:
    """oidcc-response-type-missing."""
    party = suite.party()

    answer = party.read(party.browser.go(party.url(response_mode=FORM, **changes)))

    assert answer.error == error


def test_who_denies_is_answered_by_a_form(suite: Suite, person: Person) -> None:
    party = suite.party()

    page = party.browser.log_in(party.browser.go(party.url(response_mode=FORM)), person)
    answer = party.read(party.browser.deny(page))

    assert answer.error == "access_denied"


def test_signing_in_again_is_answered_by_a_form(
    certified: Site, suite: Suite, person: Person
) -> None:
    """oidcc-prompt-login, oidcc-max-age-1."""
    party = suite.party()
    first, _ = party.flow(person, response_mode=FORM)

    certified.clock.advance(2)
    login, _ = party.flow(person, response_mode=FORM, prompt="login")
    certified.clock.advance(2)
    old, _ = party.flow(person, response_mode=FORM, max_age="1")

    times = [tokens.id_token["auth_time"] for tokens in (first, login, old)]
    assert times == [times[0], times[0] + 2, times[0] + 4]


def test_a_code_of_a_form_that_comes_again_is_refused(suite: Suite, person: Person) -> None:
    """oidcc-codereuse."""
    party = suite.party()
    answer = party.authorize(person, response_mode=FORM)
    tokens = party.tokens(party.redeem(answer))

    checks.of_error(party.redeem(answer), "invalid_grant")

    assert party.userinfo(tokens.access_token).status_code == 401


def test_an_address_that_is_not_registered_gets_no_form(suite: Suite) -> None:
    """oidcc-ensure-registered-redirect-uri."""
    party = suite.party()

    page = party.browser.go(party.url(response_mode=FORM, redirect_uri=f"{party.callback}x"))

    assert page.status_code == 400
    assert f'action="{party.callback}' not in page.text


def test_a_refresh_token_comes_by_a_form_too(suite: Suite, person: Person) -> None:
    """oidcc-refresh-token."""
    party = suite.party(grant_types=TWICE)
    tokens, _ = party.flow(
        person, response_mode=FORM, scope="openid offline_access", prompt="consent"
    )

    party.tokens(party.refresh(tokens.body["refresh_token"]), refreshed=True)
