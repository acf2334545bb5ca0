"""One initial access token, many registrations at the same moment, two workers."""

from collections.abc import Callable

import pytest

from tests.races.simultaneous import at_once
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 20


def test_of_twenty_simultaneous_registrations_with_a_token_for_one_one_succeeds(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(registration="token")
    token = deployment.command_line.answer("registration-tokens", "create")["initial_access_token"]
    request = deployment.http.build_request(
        "POST",
        "/register",
        json={"redirect_uris": ["https://app.example.net/callback"]},
        headers={"authorization": f"Bearer {token}"},
    )

    answers = at_once(deployment, [request] * AT_ONCE)

    assert sorted(answer.status_code for answer in answers) == [201] + [401] * (AT_ONCE - 1)
    [registered] = deployment.command_line.answer("clients", "list")
    assert registered["self_registered"] is True
