"""One code, many redemptions at the same moment, two workers."""

import pytest

from tests.races.simultaneous import at_once, token_request
from tests.relying_party import RelyingParty
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 50


def test_of_fifty_simultaneous_redemptions_of_one_code_exactly_one_succeeds(
    deployment: Deployment,
) -> None:
    party = RelyingParty(deployment, deployment.make_client())
    code = party.authorize(deployment.browser(), deployment.make_user()).code
    request = token_request(
        deployment,
        party.app,
        grant_type="authorization_code",
        code=code,
        redirect_uri=party.app.redirect_uri,
        code_verifier=party.verifier,
    )

    answers = at_once(deployment, [request] * AT_ONCE)

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (AT_ONCE - 1)
    refusals = [answer.json() for answer in answers if answer.status_code == 400]
    assert {refusal["error"] for refusal in refusals} == {"invalid_grant"}


def test_a_code_that_was_redeemed_twice_at_once_leaves_no_token_alive(
    deployment: Deployment,
) -> None:
    party = RelyingParty(deployment, deployment.make_client())
    person, browser = deployment.make_user(), deployment.browser()

    for _ in range(5):
        request = token_request(
            deployment,
            party.app,
            grant_type="authorization_code",
            code=party.authorize(browser, person).code,
            redirect_uri=party.app.redirect_uri,
            code_verifier=party.verifier,
        )
        answers = at_once(deployment, [request] * 2)
        [tokens] = [answer.json() for answer in answers if answer.status_code == 200]

        assert party.userinfo(tokens["access_token"]).status_code == 401
        assert party.introspect(tokens["access_token"]) == {"active": False}
        assert party.refresh(tokens["refresh_token"]).status_code == 400
