"""Workers are killed at random moments while credit moves: nothing is lost or done twice."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.faults.senders import Sender, answers_of, check
from tests.races.moving_credits import Mover
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
SECONDS = 12.0
SENDERS = 4


def test_movements_survive_workers_that_are_killed(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy()
    mover = Mover(deployment)
    mover.move("add", "first", amount="5.00")
    end = time.monotonic() + SECONDS
    senders = [Sender(mover, f"s{number}", end) for number in range(SENDERS)]
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    kills = 0

    for sender in senders:
        sender.start()
    while time.monotonic() < end - 2:
        time.sleep(chance.uniform(0.05, 0.6))
        with suppress(ProcessLookupError, IndexError, FileNotFoundError):
            os.kill(chance.choice(deployment.workers()), signal.SIGKILL)
            kills += 1
    answers = answers_of(senders)

    assert kills > 3
    assert sum(sender.repeated for sender in senders) > 0
    assert {answer.status_code for _, answer in answers.values()} <= {200, 409}
    check(mover, answers)
