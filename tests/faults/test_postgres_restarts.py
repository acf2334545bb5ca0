"""PostgreSQL restarts while credit moves and tokens are given out."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.recovery import assert_no_bug_was_logged, wait_until_ready
from tests.faults.senders import Sender, answers_of, check, wait_for_answers
from tests.races.moving_credits import Mover
from tests.relying_party import RelyingParty
from tests.services import postgres
from tests.services.deployment import deployed
from tests.services.postgres import PostgresServer

pytestmark = [pytest.mark.race, pytest.mark.slow, pytest.mark.postgres]
CODES = 15


def test_what_is_in_hand_when_postgresql_restarts_is_done_once_or_not_at_all(
    private_postgres: tuple[Path, PostgresServer], tmp_path: Path
) -> None:
    place, server = private_postgres
    with deployed(tmp_path, server.create_database()) as deployment:
        mover = Mover(deployment)
        mover.move("add", "first", amount="5.00")
        party = RelyingParty(deployment, deployment.make_client())
        person, browser = deployment.make_user(), deployment.browser()
        tokens = party.redeem(party.authorize(browser, person).code).json()
        codes = [party.authorize(browser, person).code for _ in range(CODES)]
        senders = [Sender(mover, f"s{number}") for number in range(2)]

        with ThreadPoolExecutor(2) as threads:
            for sender in senders:
                sender.start()
            refreshed = threads.submit(refresh_until, party, tokens["refresh_token"], senders[0])
            redeemed = threads.submit(redeem_slowly, party, codes)
            for _ in range(2):
                time.sleep(0.7)
                postgres.stop(place)
                postgres.resume(place)
            wait_for_answers(senders)
            answers = answers_of(senders)

        assert sum(sender.repeated for sender in senders) > 0
        assert {answer.status_code for _, answer in answers.values()} <= {200, 409}
        check(mover, answers)
        assert refreshed.result() > 2
        for code, statuses in redeemed.result().items():
            assert statuses[-1] in (200, 400)
            assert set(statuses[:-1]) <= {503}
            assert party.redeem(code).status_code == 400
        wait_until_ready(deployment)
        assert_no_bug_was_logged(deployment)


def refresh_until(party: RelyingParty, refresh_token: str, sender: Sender) -> int:
    """Refresh until that sender ends, each token until it is answered; how often it was."""
    count = 0
    while sender.is_alive():
        answer = party.refresh(refresh_token)
        if answer.status_code == 503:
            time.sleep(0.05)
            continue
        assert answer.status_code == 200, answer.text
        refresh_token = answer.json()["refresh_token"]
        count += 1
    return count


def redeem_slowly(party: RelyingParty, codes: list[str]) -> dict[str, list[int]]:
    """The statuses of each code, presented until it is answered."""
    told: dict[str, list[int]] = {}
    for code in codes:
        statuses = told[code] = [party.redeem(code).status_code]
        while statuses[-1] == 503:
            time.sleep(0.05)
            statuses.append(party.redeem(code).status_code)
        time.sleep(0.1)
    return told
