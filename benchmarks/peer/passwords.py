"""Sign-ins with a password: how near they come to what raw Argon2id reaches on all processors."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.peer import plans, wrk
from benchmarks.peer.plans import Browsers, Plan
from benchmarks.peer.sides import SCOPE, Side
from oidc_server import processors
from oidc_server.security.passwords import PasswordHasher
from tests.factories import PASSWORD

RATE_GOAL = 0.9
P99_GOAL = 2.0


@dataclass(frozen=True)
class Door:
    """A way to sign in with a password; each takes so many requests."""

    name: str
    plan: Callable[[Side], Plan | Browsers]
    steps: int


def _grant(side: Side) -> Plan:
    form = {"grant_type": "password", "password": PASSWORD, "scope": SCOPE}
    forms = [{**form, "username": person.username} for person in side.people]
    return plans.post_forms(side, "password", "token_endpoint", forms)


def _browsers(side: Side) -> Browsers:
    people = [person.username for person in side.people]
    return Browsers(side.authorize_path("web ES256"), side.address, people, PASSWORD)


DOORS = (
    Door("password grant", _grant, steps=1),
    # To the page, with the password to the dispatcher, and with the code away.
    Door("in a browser", _browsers, steps=4),
)


class Flood(NamedTuple):
    """What people with passwords did to a server, and to token requests beside them."""

    cpu_ms: float
    per_second: float
    raw_per_second: float
    """Hashes alone, just before and just after."""
    quiet_p99: float
    busy_p99: float


def raw_rate(hasher: PasswordHasher, seconds: float) -> float:
    """Hashes per second, on as many threads as a server hashes with, and with nothing beside."""
    encoded, end = hasher.hash(PASSWORD), time.monotonic() + seconds

    def verify_on() -> int:
        count = 0
        while time.monotonic() < end:
            hasher.verify(encoded, PASSWORD)
            count += 1
        return count

    begun = time.monotonic()
    with ThreadPoolExecutor(processors.usable()) as threads:
        counts = [threads.submit(verify_on) for _ in range(processors.usable())]
        total = sum(count.result() for count in counts)
    return total / (time.monotonic() - begun)


def flood(
    side: Side, door: Door, tokens: Plan, hasher: PasswordHasher, seconds: float, folder: Path
) -> Flood:
    """The rate alone; then token requests, first alone and then beside the sign-ins."""
    plan, raw_before = door.plan(side), raw_rate(hasher, seconds / 2)
    alone = wrk.send(side, plan, seconds, folder, steps=door.steps)
    raw_after = raw_rate(hasher, seconds / 2)
    quiet = wrk.send(side, tokens, seconds, folder, connections=1)
    with wrk.beside(side, plan, folder):
        busy = wrk.send(side, tokens, seconds, folder, connections=1)
    raw = (raw_before + raw_after) / 2
    return Flood(alone.cpu_ms, alone.per_second, raw, quiet.p99, busy.p99)
