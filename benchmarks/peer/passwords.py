"""Sign-ins with a password: how near they come to what raw Argon2id reaches on all processors."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.peer import wrk
from benchmarks.peer.plans import Plan
from benchmarks.peer.sides import Side
from benchmarks.trees import cpu_seconds
from oidc_server.security.passwords import PasswordHasher

RATE_GOAL = 0.9
P99_GOAL = 2.0
_BROWSERS = 8


class Flood(NamedTuple):
    """What people with passwords did to a server, and to token requests beside them."""

    cpu_ms: float
    per_second: float
    quiet_p99: float
    busy_p99: float


def raw_rate(hasher: PasswordHasher, seconds: float) -> float:
    """Hashes per second on all processors, with nothing beside them."""
    end = time.monotonic() + seconds

    def hash_on() -> int:
        count = 0
        while time.monotonic() < end:
            hasher.hash("a long enough passphrase")
            count += 1
        return count

    begun = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        counts = [threads.submit(hash_on) for _ in range(os.cpu_count() or 1)]
        total = sum(count.result() for count in counts)
    return total / (time.monotonic() - begun)


def rate(side: Side, seconds: float) -> tuple[float, float]:
    """CPU milliseconds of one sign-in, and how many there are in a second."""
    stop = threading.Event()
    cpu, begun = cpu_seconds(side.trees), time.monotonic()
    with ThreadPoolExecutor(_BROWSERS) as threads:
        counts = [threads.submit(_sign_in_until, side, stop) for _ in range(_BROWSERS)]
        time.sleep(seconds)
        stop.set()
        total = sum(count.result() for count in counts)
    took = time.monotonic() - begun
    return 1000 * (cpu_seconds(side.trees) - cpu) / total, total / took


def flood(side: Side, tokens: Plan, seconds: float, folder: Path) -> Flood:
    """The rate alone; then token requests, first alone and then beside the sign-ins."""
    cpu_ms, per_second = rate(side, seconds)
    quiet = wrk.send(side, tokens, seconds, folder, connections=1)
    stop = threading.Event()
    with ThreadPoolExecutor(_BROWSERS) as threads:
        for _ in range(_BROWSERS):
            threads.submit(_sign_in_until, side, stop)
        try:
            busy = wrk.send(side, tokens, seconds, folder, connections=1)
        finally:
            stop.set()
    return Flood(cpu_ms, per_second, quiet.p99, busy.p99)


def _sign_in_until(side: Side, stop: threading.Event) -> int:
    """One browser after the other, each from the page to the code."""
    count = 0
    while not stop.is_set():
        with side.browser() as http:
            side.sign_in(http, side.authorize_path("web ES256"), threading.get_ident() + count)
        count += 1
    return count
