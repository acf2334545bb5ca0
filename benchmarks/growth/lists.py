"""Lists, searches and balances of the API."""

from collections.abc import Callable
from typing import Any

from benchmarks.growth.places import Place
from benchmarks.growth.population import BUSY, BUSY_ENTRIES, client_number, user_id, username
from benchmarks.growth.turns import Question
from oidc_server.api.lists import write_cursor
from oidc_server.domain.user_directory import Place as DirectoryPlace

_PAGE = 50

Ask = Callable[[Any], object]


def questions(place: Place) -> dict[str, Question]:
    """Everything that is asked, by its name."""
    return {name: Question(ask) for name, ask in _asks(place).items()}


def _asks(place: Place) -> dict[str, Ask]:
    users, events = "/api/v1/admin/users", "/api/v1/admin/audit-events"
    half = place.population.users // 2
    middle = write_cursor(*DirectoryPlace("username", username(half), user_id(half)))
    long_past = {"user_id": user_id(BUSY), "limit": _PAGE}
    far = place.read("/api/v1/credits/transactions", **{**long_past, "skip": BUSY_ENTRIES // 2})
    second = place.read(events, limit=_PAGE)
    # A hundred people begin so in both populations, and ten.
    hundred, ten = username(half)[:-2], username(half)[:-1]
    return {
        **_about_access(place),
        "balance": lambda _: place.get("/api/v1/credits/balance", user_id=place.anybody()),
        "transactions, newest": lambda _: place.get(
            "/api/v1/credits/transactions", user_id=place.anybody(), limit=_PAGE
        ),
        "transactions of a long past, by cursor": lambda _: place.get(
            "/api/v1/credits/transactions", **long_past, cursor=far["next_cursor"]
        ),
        "users, first page": lambda _: place.get(users, limit=_PAGE),
        "users, by cursor": lambda _: place.get(users, limit=_PAGE, cursor=middle),
        "search by the beginning of a username": lambda _: place.get(
            users, limit=_PAGE, search=hundred
        ),
        "search by the beginning of an address": lambda _: place.get(
            users, limit=_PAGE, search=hundred.replace("person", "mail")
        ),
        "search that finds few": lambda _: place.get(users, limit=_PAGE, search=ten),
        "search that finds nobody": lambda _: place.get(users, limit=_PAGE, search="nobody"),
        "one user, by id": lambda _: place.get(f"{users}/{place.anybody()}"),
        "audit log, newest": lambda _: place.get(events, limit=_PAGE),
        "audit log, by cursor": lambda _: place.get(
            events, limit=_PAGE, cursor=second["next_cursor"]
        ),
        "audit log of one user": lambda _: place.get(events, user_id=place.anybody(), limit=_PAGE),
    }


def _about_access(place: Place) -> dict[str, Ask]:
    """Clients, sessions and grants; most of the latter have ended, the newest ones."""
    clients, sessions, grants = (
        f"/api/v1/admin/{name}" for name in ("clients", "sessions", "grants")
    )
    # Ten clients begin so in both populations.
    client_id, name = client_number(place.population.users // 20)
    further = {
        path: place.read(path, limit=_PAGE)["next_cursor"] for path in (clients, sessions, grants)
    }
    return {
        "clients, newest": lambda _: place.get(clients, limit=_PAGE),
        "clients, by cursor": lambda _: place.get(clients, limit=_PAGE, cursor=further[clients]),
        "clients by the beginning of a name": lambda _: place.get(
            clients, limit=_PAGE, search=name[:-1]
        ),
        "sessions, newest": lambda _: place.get(sessions, limit=_PAGE),
        "sessions, by cursor": lambda _: place.get(sessions, limit=_PAGE, cursor=further[sessions]),
        "sessions of one user": lambda _: place.get(sessions, user_id=place.anybody()),
        "grants, newest": lambda _: place.get(grants, limit=_PAGE),
        "grants, by cursor": lambda _: place.get(grants, limit=_PAGE, cursor=further[grants]),
        "grants to one client": lambda _: place.get(grants, client_id=client_id),
    }
