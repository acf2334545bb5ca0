"""One device code, many polls at the same moment, two workers."""

import pytest

from tests.device.devices import DEVICE_CODE, GRANTS, Device, connect, question
from tests.races.simultaneous import at_once, form_request, token_request
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 50


def make_device(deployment: Deployment) -> Device:
    options = [word for grant in GRANTS for word in ("--grant-type", grant)]
    device = Device(deployment, deployment.make_client("web", *options))
    device.ask()
    return device


def test_of_fifty_simultaneous_polls_after_the_approval_exactly_one_succeeds(
    deployment: Deployment,
) -> None:
    device = make_device(deployment)
    connect(deployment.browser(), deployment.make_user(), device.shown["user_code"])
    request = token_request(
        deployment,
        device.app,
        grant_type=DEVICE_CODE,
        device_code=device.shown["device_code"],
    )

    answers = at_once(deployment, [request] * AT_ONCE)

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (AT_ONCE - 1)
    refusals = [answer.json() for answer in answers if answer.status_code == 400]
    assert {refusal["error"] for refusal in refusals} == {"invalid_grant"}
    [tokens] = [answer.json() for answer in answers if answer.status_code == 200]
    assert device.userinfo(tokens["access_token"]).status_code == 200


def test_of_simultaneous_decisions_one_counts(deployment: Deployment) -> None:
    person, browser = deployment.make_user(), deployment.browser()
    for _ in range(5):
        device = make_device(deployment)
        page = question(browser, person, device.shown["user_code"])
        allow = form_request(browser, page, decision="allow", same_code="yes")
        deny = form_request(browser, page, decision="deny")

        answers = at_once(deployment, [allow, deny, allow, deny])

        assert {answer.status_code for answer in answers} <= {303, 400}
        poll = device.poll()
        assert poll.status_code == 200 or poll.json()["error"] == "access_denied"
