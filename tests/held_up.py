"""Requests that have to wait for a transaction of somebody else, and go on after it."""

import threading
from collections.abc import Callable
from typing import Any

_LONG_ENOUGH = 0.5
"""Seconds after which whoever still waits, waits for the transaction."""


def held_up(work: Callable[[], Any]) -> Callable[[], Any]:
    """Begin `work` inside a transaction that it has to wait for; what comes back waits for it.

    Call that after the transaction: it returns what `work` did, or raises what it raised.
    """
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever asks
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(_LONG_ENOUGH)
    assert thread.is_alive(), "it waited for nothing"

    def result() -> Any:
        thread.join()
        if failure:
            raise failure[0]
        return outcome[0]

    return result
