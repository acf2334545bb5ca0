"""The clock of the database server, which all nodes share."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, literal_column, select

from oidc_server.database.statements import Statement
from oidc_server.database.transactions import Transaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    "postgresql": "CAST(extract(epoch from clock_timestamp()) * 1000000 AS bigint)",
}
_PRESENT = {
    dialect: Statement(select(literal_column(since_1970, BigInteger).label("microseconds")))
    for dialect, since_1970 in _MICROSECONDS.items()
}


def present(db: Transaction) -> datetime:
    """The moment by the clock of the database: that of the statement, not of its transaction."""
    return _EPOCH + timedelta(microseconds=db.first(_PRESENT[db.dialect_name]).microseconds)
