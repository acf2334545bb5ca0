"""The limits: what each operation costs, once everything that a process keeps has been read.

A figure may fall, and then falls here too. One that rises needs a reason that is worth it to
everybody who signs in. PostgreSQL takes a lock by a statement, where SQLite has its one writer.
"""

from typing import NamedTuple

from tests.costs.counting import Cost


class Limit(NamedTuple):
    """Transactions, statements, rows written, hops to a thread and trips to the database.

    On either of them; to SQLite there is no way.
    """

    sqlite: Cost
    postgresql: Cost


LIMITS = {
    "discovery": Limit(Cost(0, 0, 0, 0), Cost(0, 0, 0, 0)),
    "JWKS": Limit(Cost(0, 0, 0, 0), Cost(0, 0, 0, 0)),
    "client credentials": Limit(Cost(0, 1, 0, 0), Cost(0, 1, 0, 1, 1)),
    "client credentials for a resource": Limit(Cost(0, 2, 0, 0), Cost(0, 2, 0, 1, 2)),
    "authorize with a live session": Limit(Cost(1, 2, 1, 0), Cost(0, 2, 1, 1, 2)),
    "token for a code": Limit(Cost(1, 3, 2, 0), Cost(0, 3, 2, 1, 2)),
    "refresh": Limit(Cost(1, 3, 2, 0), Cost(0, 3, 2, 1, 2)),
    "sign-in with the password": Limit(Cost(4, 31, 12, 1), Cost(4, 31, 12, 6, 27)),
    "userinfo": Limit(Cost(0, 1, 0, 0), Cost(0, 1, 0, 1, 1)),
    "introspection": Limit(Cost(0, 1, 0, 0), Cost(0, 1, 0, 1, 1)),
    "dynamic registration": Limit(Cost(1, 3, 3, 0), Cost(1, 3, 3, 1, 1)),
    "balance": Limit(Cost(0, 2, 0, 0), Cost(0, 2, 0, 1, 2)),
    "credits use": Limit(Cost(1, 5, 4, 0), Cost(1, 5, 4, 1, 4)),
}
