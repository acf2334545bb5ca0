"""One refresh token, many uses at the same moment, two workers."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import Response

from tests.races.simultaneous import at_once, token_request
from tests.relying_party import RelyingParty
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 50


def test_every_simultaneous_use_gets_one_and_the_same_successor(deployment: Deployment) -> None:
    party, tokens = signed_in(deployment)

    answers = refresh_at_once(deployment, party, tokens["refresh_token"])

    assert {answer.status_code for answer in answers} == {200}
    bodies = [answer.json() for answer in answers]
    [successor] = {body["refresh_token"] for body in bodies}
    assert successor != tokens["refresh_token"]
    assert len({body["access_token"] for body in bodies}) == AT_ONCE
    assert party.userinfo(bodies[-1]["access_token"]).status_code == 200
    assert party.refresh(successor).status_code == 200


def test_an_older_token_kills_the_grant_also_within_the_grace(deployment: Deployment) -> None:
    party, tokens = signed_in(deployment)
    second = party.refresh(tokens["refresh_token"]).json()
    third = party.refresh(second["refresh_token"]).json()

    replay = party.refresh(tokens["refresh_token"])

    assert_refused(replay)
    assert_dead(party, tokens, second, third)


def test_fifty_uses_of_an_older_token_kill_the_grant_once_for_all(deployment: Deployment) -> None:
    party, tokens = signed_in(deployment)
    second = party.refresh(tokens["refresh_token"]).json()
    third = party.refresh(second["refresh_token"]).json()

    answers = refresh_at_once(deployment, party, tokens["refresh_token"])

    for answer in answers:
        assert_refused(answer)
    assert_dead(party, tokens, second, third)


def test_a_use_after_the_grace_kills_the_grant(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy(refresh_token_grace="1s")
    party, tokens = signed_in(deployment)
    second = party.refresh(tokens["refresh_token"]).json()
    time.sleep(1.2)

    replay = party.refresh(tokens["refresh_token"])

    assert_refused(replay)
    assert_dead(party, tokens, second)


def test_without_a_grace_exactly_one_of_fifty_uses_succeeds(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(refresh_token_grace="0s")
    party, tokens = signed_in(deployment)

    answers = refresh_at_once(deployment, party, tokens["refresh_token"])

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (AT_ONCE - 1)
    [winner] = [answer.json() for answer in answers if answer.status_code == 200]
    assert_dead(party, tokens, winner)


def test_no_token_outlives_a_revocation_that_races_with_a_refresh(deployment: Deployment) -> None:
    party = RelyingParty(deployment, deployment.make_client())
    person, browser = deployment.make_user(), deployment.browser()

    for round_number in range(10):
        code = party.authorize(browser, person).code
        tokens = party.redeem(code).json()
        token = tokens["refresh_token"]
        requests = [
            token_request(deployment, party.app, grant_type="refresh_token", refresh_token=token),
            token_request(deployment, party.app, "/revoke", token=token),
        ]
        first = round_number % 2
        answers = at_once(deployment, [requests[first], requests[1 - first]])
        refreshed, revoked = answers[first], answers[1 - first]

        assert revoked.status_code == 200
        assert refreshed.status_code in (200, 400)
        issued = [refreshed.json()] if refreshed.status_code == 200 else []
        assert_dead(party, tokens, *issued)


def signed_in(deployment: Deployment) -> tuple[RelyingParty, dict[str, Any]]:
    party = RelyingParty(deployment, deployment.make_client())
    code = party.authorize(deployment.browser(), deployment.make_user()).code
    return party, party.redeem(code).json()


def refresh_at_once(
    deployment: Deployment, party: RelyingParty, refresh_token: str
) -> list[Response]:
    request = token_request(
        deployment, party.app, grant_type="refresh_token", refresh_token=refresh_token
    )
    return at_once(deployment, [request] * AT_ONCE)


def assert_refused(answer: Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def assert_dead(party: RelyingParty, *issued: dict[str, Any]) -> None:
    """Nothing of these token responses opens anything any more, at any worker."""
    for tokens in issued:
        assert party.userinfo(tokens["access_token"]).status_code == 401
        assert party.introspect(tokens["access_token"]) == {"active": False}
        assert party.introspect(tokens["refresh_token"]) == {"active": False}
    for tokens in issued:
        assert_refused(party.refresh(tokens["refresh_token"]))
