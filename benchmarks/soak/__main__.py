"""Rounds of lives, after each of which everything is looked at and the clock is moved.

The time of the server runs ahead by six hours each round, so that what it keeps for a week (mails
that were sent) is deleted within minutes. It ends with 1 if anything grows or goes wrong.
"""

import argparse
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import Engine

from benchmarks import databases, stage
from benchmarks.soak import samples
from benchmarks.soak.lives import World, live
from benchmarks.soak.verdicts import Verdict, judge
from benchmarks.trees import Tree
from benchmarks.work_folder import work_folder
from oidc_server.database import Database
from oidc_server.oauth2.vocabulary import API_SCOPES
from tests.factories import REDIRECT_URI
from tests.services.clock import SharedClock
from tests.services.deployment import deployed
from tests.services.smtp import MailServer, mail_server

_WORKERS = 2
_AT_ONCE = 3
_AHEAD = timedelta(hours=6)
_ROUND = 5.0
"""Seconds at least."""
_FEWEST = 3
"""Rounds, however short the time."""
_SETTINGS: dict[str, Any] = {
    "sign_up": "open",
    "registration": "open",
    "session_idle_lifetime": "1h",
    "session_absolute_lifetime": "2h",
    "refresh_token_idle_lifetime": "1h",
    "refresh_token_absolute_lifetime": "2h",
    "audit_retention": "1d",
    "account_deletion_grace": "0s",
}
"""The shortest times that there are, for what is kept."""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # and clean up
    seconds = options.seconds or 60 * options.minutes
    with ExitStack() as stack:
        folder = stack.enter_context(work_folder("soak"))
        url = f"sqlite:///{folder / 'soak.db'}"
        if options.postgresql:
            server, _ = stack.enter_context(databases.durable_postgres(folder / "postgres"))
            url = server.create_database()
        clock, smtp = SharedClock(folder / "clock"), stack.enter_context(mail_server())
        smtp_url = f"smtp://{smtp.host}:{smtp.port}"
        deployment = stack.enter_context(
            deployed(folder, url, workers=_WORKERS, clock=clock, smtp_url=smtp_url, **_SETTINGS)
        )
        world = _world(deployment.issuer, url, clock, smtp)
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        soak = Soak(world, Tree(deployment.server.process.pid), engine, clock)
        soak.run(seconds)
        print(f"\n{soak.lives} lives in {len(soak.seen)} rounds; {len(soak.wrong)} went wrong")
        for one in soak.wrong[:5]:
            print(f"  {one}")
        are_steady = _print_verdicts(soak.seen)
    return 0 if are_steady and not soak.wrong else 1


def _world(issuer: str, url: str, clock: SharedClock, smtp: MailServer) -> World:
    """With an application of people, and a service that may do everything."""
    database, now = Database(url), clock.now
    try:
        with database.transaction("write") as db:
            web = stage.register(db, "web", now, redirect_uris=(REDIRECT_URI,))
            scopes = sorted(API_SCOPES)
            service = stage.register(db, "service", now, may_introspect=True, scopes=scopes)
    finally:
        database.close()
    return World(issuer, smtp, replace(web, redirect_uri=REDIRECT_URI), service)


class Soak:
    """Rounds until the time is over: lives, a look, and the clock."""

    def __init__(self, world: World, tree: Tree, engine: Engine, clock: SharedClock) -> None:
        self._world, self._tree, self._engine, self._clock = world, tree, engine, clock
        self.seen: list[samples.Sample] = []
        self.lives = 0
        self.wrong: list[str] = []

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(self.seen) < _FEWEST:
            begun = time.monotonic()
            self._live()
            time.sleep(max(0.0, begun + _ROUND - time.monotonic()))
            self.seen.append(samples.take(self._tree, self._engine))
            self._clock.advance(_AHEAD)
            print(f"\rround {len(self.seen)}, life {self.lives}", end="", flush=True)

    def _live(self) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as people:
            lives = [people.submit(live, self._world, self.lives + one) for one in range(_AT_ONCE)]
        self.lives += _AT_ONCE
        self.wrong += [
            f"{type(error).__name__}: {str(error)[:300]}"
            for error in (one.exception() for one in lives)
            if error is not None
        ]


def _print_verdicts(seen: list[samples.Sample]) -> bool:
    """A line for each series that is ever there; whether all are steady."""
    print(f"{'':<42}{'first':>10}{'last':>10}{'most':>10}{'rise':>10}{'allowed':>10}")
    are_steady = True
    for key in seen[-1]:
        name, kind = key
        values = [sample[key] for sample in seen if key in sample]
        if not any(values) or len(values) < _FEWEST:
            continue
        kept = _AT_ONCE * samples.KEPT.get(name, 0)
        found = judge(kind, values, kept)
        are_steady &= found.is_steady
        figures = (found.first, found.last, found.most, found.rise, found.bound)
        row = "".join(f"{one:>10.1f}" for one in figures)
        print(f"{name:<42}{row}  {kind.unit:<5}{_word(found, kept)}")
    return are_steady


def _word(found: Verdict, kept: float) -> str:
    if not found.is_steady:
        return "GROWING"
    return "kept" if kept else "steady"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, help="instead")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
