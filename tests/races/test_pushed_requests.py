"""One pushed request, completed many times at the same moment, two workers."""

import pytest
from httpx2 import Request

from tests.races.simultaneous import at_once, token_request
from tests.relying_party import RelyingParty
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 20


def test_of_twenty_simultaneous_completions_of_one_request_uri_one_gets_a_code(
    deployment: Deployment,
) -> None:
    party = RelyingParty(deployment, deployment.make_client())
    browser = deployment.browser()
    party.authorize(browser, deployment.make_user())
    push = token_request(deployment, party.app, "/par", **party.parameters())
    uri = deployment.http.send(push).json()["request_uri"]
    query = {"client_id": party.app.client_id, "request_uri": uri}

    def opening() -> Request:
        return browser.client.build_request("GET", "/authorize", params=query)

    answers = at_once(deployment, [opening() for _ in range(AT_ONCE)])

    assert sorted(answer.status_code for answer in answers) == [303] + [400] * (AT_ONCE - 1)
    [answer] = [answer for answer in answers if answer.status_code == 303]
    assert party.redeem(party.read(answer).code).status_code == 200


def test_of_twenty_browsers_that_open_one_request_uri_one_goes_on(deployment: Deployment) -> None:
    party = RelyingParty(deployment, deployment.make_client())
    push = token_request(deployment, party.app, "/par", **party.parameters())
    uri = deployment.http.send(push).json()["request_uri"]
    query = {"client_id": party.app.client_id, "request_uri": uri}
    openings = [
        deployment.client().build_request("GET", "/authorize", params=query) for _ in range(AT_ONCE)
    ]

    answers = at_once(deployment, openings)

    assert sorted(answer.status_code for answer in answers) == [303] + [400] * (AT_ONCE - 1)
