"""What lists, searches and balances cost over HTTP with few and with very many people.

Both servers are asked in turn, so that whatever else the machine does is the same for both.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from benchmarks import databases, process, stage
from benchmarks.operations import Client
from benchmarks.population import (
    BUSY,
    BUSY_ENTRIES,
    Population,
    client_number,
    populate,
    user_id,
    username,
)
from oidc_server.clock import utc_now
from oidc_server.database import Database
from oidc_server.domain.user_directory import Place as DirectoryPlace
from oidc_server.oauth2.vocabulary import API_SCOPES
from oidc_server.settings import load
from oidc_server.web.json_api import write_cursor
from tests.services.postgres import PostgresServer

GOAL = 1.5
_PAGE = 50
_WARMING = 20
_SECRET = "a secret of the benchmarks that is long enough"

Ask = Callable[[], Any]


@dataclass(frozen=True)
class Place:
    """A server on a database with so many people, and a service with every scope."""

    population: Population
    client: Client
    bearer: str

    def get(self, path: str, **query: object) -> Any:
        known = {name: value for name, value in query.items() if value is not None}
        answer = self.client.get(f"{path}?{urlencode(known)}", authorization=self.bearer)
        return answer.body

    def read(self, path: str, **query: object) -> Any:
        return orjson.loads(self.get(path, **query))

    def anybody(self) -> str:
        """The id of some person."""
        return user_id(random.randint(2, self.population.users))  # noqa: S311 - no secret


def print_growth(folder: Path, sizes: tuple[int, int], entries_each: int, calls: int) -> None:
    """The median of each call with few and with many people, side by side."""
    print("Two populations on PostgreSQL")
    with databases.postgres_server(folder / "postgres") as postgres, ExitStack() as stack:
        few, many = (
            stack.enter_context(_place(folder / str(users), postgres, users, entries_each))
            for users in sizes
        )
        print(f"\nMedian of {calls} calls of each, asked in turn")
        _line("", *(f"{place.population.users:,} users" for place in (few, many)), "ratio")
        there = questions(many)
        for name, ask in questions(few).items():
            took = _in_turn(ask, there[name], calls)
            ratio = took[1] / took[0]
            verdict = f"{'goal' if ratio <= GOAL else 'MISSED'}: {GOAL:g}"
            _line(name, *(f"{1000 * one:.2f} ms" for one in took), f"{ratio:.2f}", verdict)


def questions(place: Place) -> dict[str, Ask]:
    """Everything that is asked, by its name."""
    users, events = "/api/v1/admin/users", "/api/v1/admin/audit-events"
    half = place.population.users // 2
    middle = write_cursor(*DirectoryPlace("username", username(half), user_id(half)))
    long_past = {"user_id": user_id(BUSY), "limit": _PAGE}
    far = place.read("/api/v1/credits/transactions", **{**long_past, "skip": BUSY_ENTRIES // 2})
    second = place.read(events, limit=_PAGE)
    # A hundred people begin so in both populations, and ten.
    hundred, ten = username(half)[:-2], username(half)[:-1]
    return {
        **_questions_about_access(place),
        "balance": lambda: place.get("/api/v1/credits/balance", user_id=place.anybody()),
        "transactions, newest": lambda: place.get(
            "/api/v1/credits/transactions", user_id=place.anybody(), limit=_PAGE
        ),
        "transactions of a long past, by cursor": lambda: place.get(
            "/api/v1/credits/transactions", **long_past, cursor=far["next_cursor"]
        ),
        "users, first page": lambda: place.get(users, limit=_PAGE),
        "users, by cursor": lambda: place.get(users, limit=_PAGE, cursor=middle),
        "search by the beginning of a username": lambda: place.get(
            users, limit=_PAGE, search=hundred
        ),
        "search by the beginning of an address": lambda: place.get(
            users, limit=_PAGE, search=hundred.replace("person", "mail")
        ),
        "search that finds few": lambda: place.get(users, limit=_PAGE, search=ten),
        "search that finds nobody": lambda: place.get(users, limit=_PAGE, search="nobody"),
        "one user, by id": lambda: place.get(f"{users}/{place.anybody()}"),
        "audit log, newest": lambda: place.get(events, limit=_PAGE),
        "audit log, by cursor": lambda: place.get(
            events, limit=_PAGE, cursor=second["next_cursor"]
        ),
        "audit log of one user": lambda: place.get(events, user_id=place.anybody(), limit=_PAGE),
    }


def _questions_about_access(place: Place) -> dict[str, Ask]:
    """Clients, sessions and grants; nine of ten of the latter have ended, the newest ones."""
    clients, sessions, grants = (
        f"/api/v1/admin/{name}" for name in ("clients", "sessions", "grants")
    )
    # Ten clients begin so in both populations.
    client_id, name = client_number(place.population.users // 20)
    further = {
        path: place.read(path, limit=_PAGE)["next_cursor"] for path in (clients, sessions, grants)
    }
    return {
        "clients, newest": lambda: place.get(clients, limit=_PAGE),
        "clients, by cursor": lambda: place.get(clients, limit=_PAGE, cursor=further[clients]),
        "clients by the beginning of a name": lambda: place.get(
            clients, limit=_PAGE, search=name[:-1]
        ),
        "sessions, newest": lambda: place.get(sessions, limit=_PAGE),
        "sessions, by cursor": lambda: place.get(sessions, limit=_PAGE, cursor=further[sessions]),
        "sessions of one user": lambda: place.get(sessions, user_id=place.anybody()),
        "grants, newest": lambda: place.get(grants, limit=_PAGE),
        "grants, by cursor": lambda: place.get(grants, limit=_PAGE, cursor=further[grants]),
        "grants to one client": lambda: place.get(grants, client_id=client_id),
    }


def _in_turn(few: Ask, many: Ask, calls: int) -> tuple[float, float]:
    """The medians, in seconds."""
    for _ in range(_WARMING):
        few()
        many()
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * calls):
        begun = time.perf_counter()
        (few, many)[number % 2]()
        taken[number % 2].append(time.perf_counter() - begun)
    return statistics.median(taken[0]), statistics.median(taken[1])


@contextmanager
def _place(
    folder: Path, postgres: PostgresServer, users: int, entries_each: int
) -> Iterator[Place]:
    folder.mkdir()
    url = postgres.create_database()
    settings = {
        "OIDC_DATABASE_URL": url,
        "OIDC_SECRET_KEY": _SECRET,
        "OIDC_RATE_LIMITS": "off",
        "OIDC_ACCESS_TOKEN_LIFETIME": "1h",
    }
    try:
        with process.running(folder, settings=settings) as server:
            begun = time.monotonic()
            population = populate(url, users, entries_each)
            _line(
                f"{population.users:,} users",
                f"{population.entries:,} entries",
                f"made in {time.monotonic() - begun:.0f} s",
            )
            yield Place(population, *_service(server, folder, settings))
    finally:
        postgres.drop_database(url)


def _service(server: process.Server, folder: Path, settings: dict[str, str]) -> tuple[Client, str]:
    """A client that may do everything, and its token."""
    loaded = load({**settings, "OIDC_DATA_DIR": str(folder / "data")}, None)
    database = Database(loaded.database_url)
    try:
        with database.transaction("write") as db:
            app = stage.register(db, "service", utc_now(), scopes=sorted(API_SCOPES))
    finally:
        database.close()
    client = Client(server, app)
    token = client.post("/token", grant_type="client_credentials", scope=" ".join(API_SCOPES))
    client.close()  # it opens again by itself: a server does not wait as long as the other fills
    return client, f"Bearer {token['access_token']}"


def _line(name: str, *cells: str) -> None:
    print(f"  {name:<44}" + "".join(f"{cell:>18}" for cell in cells), flush=True)
