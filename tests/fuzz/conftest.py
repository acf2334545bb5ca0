"""How long the fuzz tests run, and the server that they share."""

import io
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oidc_server.observability import logs
from tests.fuzz import world as worlds
from tests.fuzz.verdict import Judge
from tests.fuzz.world import World
from tests.fuzz.writes import watched
from tests.services import log_scan
from tests.site import Site

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
"""How long each test goes on with new food; 0 for the same few cases every time."""
_BATCH = 100

Feed = Callable[..., None]


@pytest.fixture
def feed() -> Feed:
    """`feed(check, food, cases)` calls `check` with each piece of food."""

    def run(check: Callable[[Any], object], food: st.SearchStrategy[Any], cases: int) -> None:
        def eat(piece: Any) -> None:
            check(piece)

        ends = time.monotonic() + SECONDS
        while True:
            how = settings(
                max_examples=_BATCH if SECONDS else cases,
                derandomize=not SECONDS,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            how(given(piece=food)(eat))()
            if time.monotonic() >= ends:
                return

    return run


@pytest.fixture
def world(open_site: Site) -> World:
    return worlds.build(open_site)


@pytest.fixture
def judge(world: World, log: Callable[[], str]) -> Iterator[Judge]:
    """Asks the server, and checks what must hold for every answer."""
    with watched(world.site) as writes:
        yield Judge(world, writes, log)


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    """What the server logged since it was asked last, at its most talkative."""
    stream = io.StringIO()

    def take() -> str:
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return text

    with log_scan.restored_logging():
        logs.configure("debug", "json", stream)
        yield take
