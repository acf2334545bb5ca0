"""Callers who move credit until they are answered, and what must be true when they have been."""

import threading
import time
from contextlib import suppress
from decimal import Decimal
from itertools import count

import httpx2

from tests.races.moving_credits import Mover

PATIENCE = 240.0
"""Seconds for the last workers to begin, on a machine that does many other things."""


class Sender(threading.Thread):
    """Sends movements until it is over, each until it is answered, and remembers every answer."""

    def __init__(self, mover: Mover, name: str) -> None:
        super().__init__(daemon=True)
        self.mover, self.key, self.over = mover, name, threading.Event()
        self.answers: dict[str, tuple[str, httpx2.Response]] = {}
        self.repeated = 0

    def run(self) -> None:
        with httpx2.Client(base_url=self.mover.deployment.issuer, timeout=20) as client:
            for number in count():
                if self.over.is_set():
                    return
                action = ("add", "use", "use")[number % 3]
                key = f"{self.key}-{number}"
                self.answers[key] = (action, self._until_answered(client, action, key))

    def _until_answered(self, client: httpx2.Client, action: str, key: str) -> httpx2.Response:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            request = self.mover.request(action, key, amount="1.00", reference_id=key)
            with suppress(httpx2.TransportError):
                answer = client.send(request)
                if answer.status_code != 503:
                    return answer
            self.repeated += 1
            time.sleep(0.05)
        raise AssertionError(f"{key} was never answered")


def wait_for_answers(senders: list[Sender]) -> None:
    """Return when as many movements as there are senders have been answered from now on."""
    deadline = time.monotonic() + PATIENCE
    goal = _answered(senders) + len(senders)
    while _answered(senders) < goal:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _answered(senders: list[Sender]) -> int:
    return sum(len(sender.answers) for sender in senders)


def answers_of(senders: list[Sender]) -> dict[str, tuple[str, httpx2.Response]]:
    """Let all of them end; what each movement was answered."""
    for sender in senders:
        sender.over.set()
    for sender in senders:
        sender.join(PATIENCE + 60)
        assert not sender.is_alive()
    return {key: told for sender in senders for key, told in sender.answers.items()}


def check(mover: Mover, answers: dict[str, tuple[str, httpx2.Response]]) -> None:
    """Each movement that was answered with 200 is there once, and there are no others."""
    there = mover.transactions()
    done = {key for key, (_, answer) in answers.items() if answer.status_code == 200}
    noted = [entry["reference_id"] for entry in there if entry["reference_id"] is not None]
    assert sorted(noted) == sorted(done)
    by_key = {entry["reference_id"]: entry for entry in there}
    for key in done:
        assert by_key[key] == answers[key][1].json()
    added = sum(action == "add" for key, (action, _) in answers.items() if key in done)
    assert Decimal(mover.balance()) == 5 + added - (len(done) - added)
    assert mover.reconcile() == []
