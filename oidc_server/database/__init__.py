"""The database: one open connection per thread, transactions, and statements compiled once.

Two ways to speak to it, inside the same transaction:

* `Statement` is for hot paths: a Core statement, compiled once and run on the driver's cursor
  (on PostgreSQL prepared once per connection).
* `Transaction.session` is an ORM session, for pages and administration.

On SQLite what the event loop writes in one turn is committed together (`GroupCommit`).
"""

from oidc_server.database import schema_version, server_clock
from oidc_server.database.connections import Database
from oidc_server.database.engines import create_engine
from oidc_server.database.errors import (
    ConflictError,
    DatabaseBusyError,
    DatabaseUnavailableError,
)
from oidc_server.database.group_commit import GroupCommit
from oidc_server.database.statements import Statement
from oidc_server.database.transactions import Access, Transaction
from oidc_server.database.watch import Watch

__all__ = [
    "Access",
    "ConflictError",
    "Database",
    "DatabaseBusyError",
    "DatabaseUnavailableError",
    "GroupCommit",
    "Statement",
    "Transaction",
    "Watch",
    "create_engine",
    "schema_version",
    "server_clock",
]
