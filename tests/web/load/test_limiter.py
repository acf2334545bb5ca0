"""How much fits into a minute, and when more does."""

import asyncio
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from oidc_server.outbound.redis_counts import RedisCounts
from oidc_server.web.client_address import counted_as
from oidc_server.web.load import windows
from oidc_server.web.load.limiter import Limiter
from oidc_server.web.load.rate_limit import FAILURES, PAGES, TooManyRequestsError
from oidc_server.web.load.windows import Windows
from tests.services.databases import sqlite_url
from tests.services.ports import free_port
from tests.site import settings_for

KEY = ("pages", "192.0.2.7")


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def counts(seconds: Seconds) -> Windows:
    return Windows(seconds)


def admitted(counts: Windows, tries: int, key: tuple[str, str] = KEY) -> int:
    return sum(counts.take(key, 100) == 0 for _ in range(tries))


def test_as_many_fit_into_a_minute_as_are_allowed(counts: Windows) -> None:
    assert admitted(counts, 250) == 100


def test_each_key_is_counted_for_itself(counts: Windows) -> None:
    admitted(counts, 100)

    assert admitted(counts, 100, ("pages", "192.0.2.8")) == 100
    assert admitted(counts, 100, ("mails", "192.0.2.7")) == 100


@pytest.mark.parametrize("used", [100, 70])
def test_after_the_time_that_is_told_one_more_fits_and_not_before(
    counts: Windows, seconds: Seconds, used: int
) -> None:
    admitted(counts, used)
    seconds.now += 75
    admitted(counts, 200)

    wait = counts.take(KEY, 100)

    seconds.now += wait - 0.01
    assert counts.take(KEY, 100) > 0
    seconds.now += 0.02
    assert counts.take(KEY, 100) == 0


def test_who_stops_for_a_full_minute_and_the_next_starts_anew(
    counts: Windows, seconds: Seconds
) -> None:
    admitted(counts, 100)
    seconds.now += 120

    assert admitted(counts, 250) == 100


def test_at_the_border_of_two_minutes_no_double_portion_is_had(
    counts: Windows, seconds: Seconds
) -> None:
    admitted(counts, 1)
    seconds.now += 58
    before = admitted(counts, 200)
    seconds.now += 4

    assert before == 99
    assert admitted(counts, 200) <= 5


def test_looking_counts_nothing(counts: Windows) -> None:
    for _ in range(1000):
        assert counts.wait(KEY, 100) == 0

    assert admitted(counts, 250) == 100


def test_a_flood_of_addresses_takes_no_memory_without_end(
    counts: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "_MAX_KEYS", 1000)

    for number in range(5000):
        counts.take(("pages", str(number)), 100)

    kept: dict[Any, Any] = counts._windows
    assert len(kept) <= 1000
    assert ("pages", "4999") in kept


def test_many_threads_together_get_no_more(counts: Windows) -> None:
    got: list[int] = []
    threads = [threading.Thread(target=lambda: got.append(admitted(counts, 50))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(got) == 100


def test_while_redis_is_away_a_process_has_its_part_of_the_guesses_and_all_of_the_rest(
    tmp_path: Path,
) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    settings = settings_for(sqlite_url(tmp_path), tmp_path, rate_limits=True, redis_url=url)

    async def count() -> Counter[str]:
        limiter = Limiter(settings, RedisCounts(settings, url), processes=4)
        let_in: Counter[str] = Counter()
        for _ in range(150):
            with suppress(TooManyRequestsError):
                await limiter.failed(FAILURES, "192.0.2.7")
                let_in["failures"] += 1
            with suppress(TooManyRequestsError):
                await limiter.admit(PAGES, "192.0.2.7")
                let_in["pages"] += 1
        await limiter.close()
        return let_in

    assert asyncio.run(count()) == {"failures": 25, "pages": 100}


def test_counting_costs_less_than_ten_microseconds() -> None:
    counts = Windows()

    def run() -> float:
        begun = time.process_time()
        for number in range(10_000):
            counts.take(("clients", str(number % 500)), 60_000)
        return (time.process_time() - begun) / 10_000

    assert min(run() for _ in range(5)) < 10e-6


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
        ("a:b", "a:b"),
    ],
)
def test_an_ipv6_address_counts_as_its_network(address: str, known_as: str) -> None:
    assert counted_as(address) == known_as
