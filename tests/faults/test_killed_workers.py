"""Workers are killed at random moments while credit moves: nothing is lost or done twice."""

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.senders import Sender, answers_of, check, wait_for_answers
from tests.races.moving_credits import Mover
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
KILLS = 6
SENDERS = 4


def test_movements_survive_workers_that_are_killed(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy()
    mover = Mover(deployment)
    mover.move("add", "first", amount="5.00")
    senders = [Sender(mover, f"s{number}") for number in range(SENDERS)]
    chance = random.Random(7)  # noqa: S311 - moments, not secrets

    for sender in senders:
        sender.start()
    for _ in range(KILLS):
        wait_for_answers(senders)  # or those would be killed who do nothing yet
        time.sleep(chance.uniform(0, 0.2))
        os.kill(chance.choice(deployment.workers()), signal.SIGKILL)
    wait_for_answers(senders)
    answers = answers_of(senders)

    assert sum(sender.repeated for sender in senders) > 0
    assert {answer.status_code for _, answer in answers.values()} <= {200, 409}
    check(mover, answers)
