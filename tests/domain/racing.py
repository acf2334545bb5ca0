"""Two processes that do the same thing at the same moment, each with a database of its own."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import TypeVar

from oidc_server.database import Database

T = TypeVar("T")
_PATIENCE = 30.0


def race(act: Callable[[Database, str], T], database: Database) -> list[T]:
    """Run `act(database, name)`, of a test module, in two processes; return what each returned."""
    url = database.engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=_run, args=(act, url, name, barrier, answers))
        for name in ("first", "second")
    ]
    for process in processes:
        process.start()
    try:
        return [answers.get(timeout=_PATIENCE) for _ in processes]
    finally:
        for process in processes:
            process.join(_PATIENCE)


def _run(
    act: Callable[[Database, str], T], url: str, name: str, barrier: Barrier, answers: "Queue[T]"
) -> None:
    database = Database(url)
    with database.transaction("read"):
        barrier.wait(_PATIENCE)
    answers.put(act(database, name))
    database.close()
