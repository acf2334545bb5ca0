"""One account elsewhere that many accounts here want at the same moment opens one of them."""

import pytest

from tests.authentication.providers.leaving import onward
from tests.factories import PASSWORD
from tests.races.simultaneous import at_once
from tests.services.deployment import Deployment
from tests.services.provider import running_provider

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 8


def test_eight_callbacks_at_once_connect_one_identity_to_one_account(
    deployment: Deployment,
) -> None:
    with running_provider() as provider:
        deployment.command_line.answer(
            *("providers", "add", "acme", "--issuer", provider.issuer, "--client-id", "us"),
            "--secret-stdin",
            stdin=provider.client_secret,
        )
        browsers = [deployment.browser() for _ in range(AT_ONCE)]
        callbacks = []
        for browser in browsers:
            person = deployment.make_user()
            browser.log_in(browser.go("/login"), person)
            page = browser.go("/account/security/providers/acme")
            left = browser.send(page, form=-1, current_password=PASSWORD)
            query = provider.authorize(onward(left))
            path = f"/login/providers/acme/callback?{query}"
            callbacks.append(browser.client.build_request("GET", path))

        answers = at_once(deployment, callbacks)

        told = sorted(answer.headers["location"] for answer in answers)
        assert told == [
            "/account/security?notice=provider_connected",
            *["/account/security?notice=provider_taken"] * (AT_ONCE - 1),
        ]
        [acme] = deployment.command_line.answer("providers", "list")
        assert acme["connected"] == 1
