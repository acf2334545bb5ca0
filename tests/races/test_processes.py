"""What becomes of the processes: asked to end, and killed."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.races.simultaneous import at_once, token_request
from tests.relying_party import RelyingParty
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
PROMPT = 15.0
"""Seconds."""
LOOKED_AFTER = 0.7
"""Seconds until the parent has asked a new worker how it is, which takes longer to begin."""
PATIENCE = 30.0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_asked_to_end_does_so_promptly_with_status_0(
    deploy_sqlite: Callable[..., Deployment], workers: int, how: signal.Signals
) -> None:
    deployment = deploy_sqlite(workers=workers)
    processes = deployment.workers()
    began = time.monotonic()

    status = deployment.server.stop(how)

    assert status == 0
    assert time.monotonic() - began < PROMPT
    assert not [process for process in processes if Path(f"/proc/{process}").exists()]
    assert "Traceback" not in deployment.server.logs()


def test_a_killed_worker_is_replaced_and_codes_stay_single_use(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy()
    party = RelyingParty(deployment, deployment.make_client())
    person, browser = deployment.make_user(), deployment.browser()
    spent = party.authorize(browser, person).code
    assert party.redeem(spent).status_code == 200
    unspent = party.authorize(browser, person).code
    first, second = deployment.workers()

    os.kill(first, signal.SIGKILL)
    deployment.wait_for_starts(3)

    replaced = set(deployment.workers())
    assert len(replaced) == 2
    assert first not in replaced
    assert second in replaced
    assert party.redeem(spent).status_code == 400
    assert sorted(redeem_at_once(deployment, party, unspent, 20)) == [200] + [400] * 19


def test_a_worker_that_is_killed_while_it_begins_is_replaced_like_any_other(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite()
    first, second = deployment.workers()

    os.kill(first, signal.SIGKILL)
    beginning = wait_for_another(deployment, {first, second})
    time.sleep(LOOKED_AFTER)
    os.kill(beginning, signal.SIGKILL)
    replacement = wait_for_another(deployment, {first, second, beginning})

    deployment.wait_for_starts(3)
    assert set(deployment.workers()) == {second, replacement}


def wait_for_another(deployment: Deployment, known: set[int]) -> int:
    """The worker that is none of those, as soon as there is one."""
    deadline = time.monotonic() + PATIENCE
    while not (others := set(deployment.workers()) - known):
        assert time.monotonic() < deadline, deployment.server.logs()
        time.sleep(0.05)
    return others.pop()


def test_a_code_is_redeemed_once_at_most_when_workers_are_killed_meanwhile(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy()
    party = RelyingParty(deployment, deployment.make_client())
    person = deployment.make_user()

    for round_number in range(2):
        code = party.authorize(deployment.browser(), person).code
        with ThreadPoolExecutor(20) as threads:
            tried = [threads.submit(redeem, deployment, party, code) for _ in range(20)]
            time.sleep(0.01 * round_number)
            for worker in deployment.workers():
                os.kill(worker, signal.SIGKILL)
        deployment.wait_for_starts(2 + 2 * (round_number + 1))
        deployment.server.wait_until_ready("/health/ready")

        statuses = [attempt.result() for attempt in tried]
        statuses.append(redeem(deployment, party, code))

        assert set(statuses) <= {200, 400, None}
        assert statuses.count(200) <= 1


def redeem(deployment: Deployment, party: RelyingParty, code: str) -> int | None:
    """The status of one redemption; None if the connection broke."""
    try:
        with httpx2.Client(base_url=deployment.server.base_url, timeout=30) as client:
            return client.send(redemption(deployment, party, code)).status_code
    except httpx2.TransportError:
        return None


def redeem_at_once(deployment: Deployment, party: RelyingParty, code: str, count: int) -> list[int]:
    request = redemption(deployment, party, code)
    return [answer.status_code for answer in at_once(deployment, [request] * count)]


def redemption(deployment: Deployment, party: RelyingParty, code: str) -> httpx2.Request:
    return token_request(
        deployment,
        party.app,
        grant_type="authorization_code",
        code=code,
        redirect_uri=party.app.redirect_uri,
        code_verifier=party.verifier,
    )
