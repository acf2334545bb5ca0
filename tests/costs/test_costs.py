"""No operation asks more of the database, or leaves the event loop more often, than its limit."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.costs.counting import Cost, Counter, count_hops, counting
from tests.costs.limits import LIMITS
from tests.costs.work import Work, operations
from tests.site import Site, running_site, settings_for

_WARMING = 2
"""Times that it is done before: what a process keeps has been read, statements are prepared."""


@pytest.fixture(scope="module")
def counted_site(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, Counter]]:
    """A server of which everything is counted, with nothing in it."""
    counter = Counter()
    settings = settings_for(
        database_url,
        tmp_path_factory.mktemp("data"),
        registration="open",
        database_threads=1,  # else each of them would have to warm up
    )
    with counting(counter), running_site(settings) as site:
        site.clean()
        count_hops(site, counter)
        yield site, counter
        site.clean()


@pytest.fixture(scope="module")
def works(counted_site: tuple[Site, Counter]) -> dict[str, Work]:
    return dict(operations(counted_site[0]))


@pytest.mark.parametrize("name", LIMITS)
def test_an_operation_stays_within_its_limit(
    counted_site: tuple[Site, Counter], works: dict[str, Work], name: str
) -> None:
    site, counter = counted_site
    work = works[name]
    allowed = LIMITS[name].sqlite if site.runtime.database.is_sqlite else LIMITS[name].postgresql
    for _ in range(_WARMING):
        _prepare(works, name)
        work()
    _prepare(works, name)
    counter.begin()
    work()

    assert counter.cost() == allowed, "\n\n".join(counter.statements)


def _prepare(works: dict[str, Work], name: str) -> None:
    if name == "token for a code":
        works["authorize with a live session"]()


def test_what_is_counted_is_what_was_done(counted_site: tuple[Site, Counter]) -> None:
    site, counter = counted_site
    session: Any

    counter.begin()
    with site.db() as db:
        session = db.session
        session.execute(text("SELECT 1"))
        session.execute(text("INSERT INTO audit_horizon VALUES (1, 5)"))
        session.execute(text("DELETE FROM audit_horizon"))

    trips = 0 if site.runtime.database.is_sqlite else 5
    assert counter.cost() == Cost(transactions=1, statements=3, rows=2, hops=0, trips=trips)


def test_each_operation_has_a_limit(works: dict[str, Work]) -> None:
    assert set(works) == set(LIMITS)
