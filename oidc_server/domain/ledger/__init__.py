"""The ledger of credits: append-only entries, and for each user a row with what they add up to.

`tables.py` has the rows and what the database itself refuses, `accounts.py` the one way to change
them. `movements.py` adds, uses, refunds and corrects, `reservations.py` holds and settles.
`history.py` lists entries, `reconciliation.py` looks whether all agree. `amounts.py` is how amounts
are written.

Everything is counted in hundredths, as integers. See ADR 0014.
"""

from oidc_server.domain.ledger.accounts import Balance, Order, Reason, Refused, find_balance
from oidc_server.domain.ledger.amounts import format_amount, parse_amount, parse_change
from oidc_server.domain.ledger.history import Page, history
from oidc_server.domain.ledger.movements import add, adjust, refund, use
from oidc_server.domain.ledger.reconciliation import Mismatch, reconcile
from oidc_server.domain.ledger.reservations import (
    Reserved,
    capture,
    release,
    release_expired,
    reserve,
)
from oidc_server.domain.ledger.tables import MAX_AMOUNT, MAX_BALANCE, Entry, EntryType

__all__ = [
    "MAX_AMOUNT",
    "MAX_BALANCE",
    "Balance",
    "Entry",
    "EntryType",
    "Mismatch",
    "Order",
    "Page",
    "Reason",
    "Refused",
    "Reserved",
    "add",
    "adjust",
    "capture",
    "find_balance",
    "format_amount",
    "history",
    "parse_amount",
    "parse_change",
    "reconcile",
    "refund",
    "release",
    "release_expired",
    "reserve",
    "use",
]
