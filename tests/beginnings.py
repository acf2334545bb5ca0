"""What many tests begin with: done on the wire once, and then put back row by row.

A sign-in and its tokens cost thirty times what their rows do. They are the very rows and tokens
that the wire gave; what the server keeps besides its database it forgets.
"""

from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Table, insert, select

from oidc_server.domain.base import new_id
from tests.site import TABLES, Site, filled_tables

_Made = TypeVar("_Made")

_MILLISECOND = timedelta(milliseconds=1)
_LOW = 2
"""In the first digit that chance gives to an id, which goes to 8."""


def once(site: Site, name: Hashable, make: Callable[[], _Made]) -> _Made:
    """What `make` returns on an empty site, with its rows in the database. Copy what you change.

    The `name` says all that it depends on. Where something was done to the site it is made anew.
    """
    if not site.is_new():
        return make()
    if name not in site.beginnings:
        _draw_ids(site, lambda drawn: int(drawn[15], 16) < _LOW)
        made = make()
        site.beginnings[name] = (made, _rows(site), new_id(site.clock.now))
        return made
    made, rows, latest = site.beginnings[name]
    _draw_ids(site, lambda drawn: drawn > latest)
    with site.db() as db:
        db.memory.clear()  # the revision that a row had in another test comes again in this one
        for table, values in rows:
            db.session.execute(insert(table), values)
    return made


def _rows(site: Site) -> list[tuple[Table, list[dict[str, Any]]]]:
    """Everything in the database, in an order in which it can be written."""
    with site.db() as db:
        filled = filled_tables(db)
        return [
            (table, [dict(row) for row in db.session.execute(select(table)).mappings()])
            for table in reversed(TABLES)
            if table.name in filled
        ]


def _draw_ids(site: Site, good: Callable[[str], bool]) -> None:
    """Make ids until one is good: those of one moment count up, from where chance began.

    So the rows of a beginning sort before what a test adds to them at the same moment.
    """
    while not good(new_id(site.clock.now)):
        new_id(site.clock.now - _MILLISECOND)
