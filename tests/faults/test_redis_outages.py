"""Two servers count in one Redis, and each for itself while that is away."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2
import pytest

from oidc_server.outbound.redis_counts import DEADLINE_SECONDS
from tests.relying_party import RelyingParty
from tests.services.databases import sqlite_url
from tests.services.deployment import Deployment, deployed
from tests.services.redis import RedisServer
from tests.waiting import wait_for

pytestmark = [pytest.mark.race, pytest.mark.slow]
FORM = {"content-type": "application/x-www-form-urlencoded"}
SLACK = 8.0
"""Seconds that a request may take on a busy machine beyond what it waits for."""


@dataclass(frozen=True)
class Nodes:
    """Servers that have nothing in common but their Redis."""

    nodes: tuple[Deployment, ...]

    def ask(self, node: int, method: str, path: str, address: str, body: str = "") -> int:
        """The status of one request, as a proxy would hand it on from `address`."""
        headers = {**FORM, "x-forwarded-for": address}
        answer: httpx2.Response = self.nodes[node].http.request(
            method, path, headers=headers, content=body.encode() if body else None
        )
        assert answer.status_code != 429 or int(answer.headers["retry-after"]) > 0
        assert answer.status_code < 500, answer.text
        return answer.status_code

    def page(self, node: int, address: str) -> int:
        return self.ask(node, "GET", "/login", address)

    def guess(self, node: int, address: str) -> int:
        return self.ask(node, "POST", "/token", address, "grant_type=client_credentials")


@contextmanager
def running_nodes(folder: Path, redis: RedisServer) -> Iterator[Nodes]:
    with ExitStack() as stack:
        made = []
        for name in ("one", "two"):
            place = folder / name
            place.mkdir()
            made.append(
                stack.enter_context(
                    deployed(
                        place,
                        sqlite_url(place),
                        workers=1,
                        rate_limits="on",
                        redis_url=redis.url,
                        trusted_proxies="127.0.0.0/8",
                        breaker_open="1s",
                        rate_limit_clients="400",
                    )
                )
            )
        yield Nodes(tuple(made))


@pytest.fixture
def nodes(tmp_path: Path, redis: RedisServer) -> Iterator[Nodes]:
    with running_nodes(tmp_path, redis) as made:
        yield made


def test_two_servers_share_one_count_and_outlive_the_death_of_redis(
    nodes: Nodes, redis: RedisServer
) -> None:
    pages = Counter(nodes.page(turn % 2, "203.0.113.1") for turn in range(120))
    guesses = Counter(nodes.guess(turn % 2, "203.0.113.2") for turn in range(120))
    assert pages == {200: 100, 429: 20}
    assert guesses == {401: 100, 429: 20}
    assert {key.split(":")[0] for key in redis.names()} == {"oidc-server"}
    assert_a_large_limit_holds_though_it_is_given_out_in_portions(nodes.nodes[0])

    with ThreadPoolExecutor(8) as threads:
        end = time.monotonic() + 2
        load = [threads.submit(ask_until, nodes, turn, end) for turn in range(8)]
        time.sleep(0.5)
        redis.kill()
        statuses = Counter(status for one in load for status in one.result())

    assert set(statuses) <= {200, 429}
    alone = Counter(nodes.page(0, "203.0.113.3") for _ in range(120))
    assert alone == {200: 100, 429: 20}

    redis.start_again()
    wait_until_shared(nodes)
    for number, node in enumerate(nodes.nodes):
        for _ in range(10):  # one good answer may not be enough to be trusted
            nodes.page(number, "203.0.113.4")
        wait_for(partial(is_trusted_again, node))
        assert redis.password not in node.server.logs()
        assert "Traceback" not in node.server.logs()
        assert "circuit breaker opened" in node.server.logs()


def test_a_redis_that_hangs_costs_a_moment_and_then_nothing(
    nodes: Nodes, redis: RedisServer
) -> None:
    nodes.page(0, "203.0.113.1")

    redis.freeze()
    waited = [timed(lambda: nodes.page(0, "203.0.113.1")) for _ in range(5)]
    after = [timed(lambda: nodes.page(0, "203.0.113.1")) for _ in range(20)]
    redis.thaw()

    assert max(waited) < DEADLINE_SECONDS + SLACK
    assert sorted(after)[5] < DEADLINE_SECONDS  # whoever asked Redis has waited longer
    wait_until_shared(nodes)


def is_trusted_again(node: Deployment) -> bool:
    return "circuit breaker closed" in node.server.logs()


def assert_a_large_limit_holds_though_it_is_given_out_in_portions(node: Deployment) -> None:
    party = RelyingParty(node, node.make_client("spa"))

    statuses = Counter(party.refresh("nothing").status_code for _ in range(420))

    assert statuses == {400: 400, 429: 20}


def ask_until(nodes: Nodes, turn: int, end: float) -> list[int]:
    statuses: list[int] = []
    while time.monotonic() < end:
        statuses.append(nodes.page(turn % 2, f"198.51.100.{len(statuses) % 200}"))
    return statuses


def timed(ask: Callable[[], int]) -> float:
    begun = time.monotonic()
    assert ask() == 200
    return time.monotonic() - begun


def wait_until_shared(nodes: Nodes) -> None:
    """What one server lets in, the other counts: tried with addresses that are new."""
    deadline = time.monotonic() + 60
    for number in range(200):
        address = f"192.0.2.{number}"
        for _ in range(100):
            nodes.page(0, address)
        if nodes.page(1, address) == 429:
            return
        assert time.monotonic() < deadline, [node.server.logs() for node in nodes.nodes]
        time.sleep(0.3)
    raise AssertionError("Redis was not trusted again")
