"""The ledger: a model, what the database itself refuses, and what reconciliation finds."""

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from oidc_server.database import Database
from oidc_server.domain import ledger
from oidc_server.domain.ledger import MAX_AMOUNT, MAX_BALANCE, Entry, Order, Reason, Refused
from oidc_server.domain.ledger.tables import accounts, entries, reservations
from tests.domain.conftest import NOW
from tests.domain.ledger_model import LivesOfAccounts
from tests.domain.racing import race
from tests.project.repository import ROOT, tracked_modules

ORDER = Order("shop", None, "request")


def test_any_order_of_movements_is_as_the_model(database: Database) -> None:
    class Lives(LivesOfAccounts):
        pass

    Lives.database = database

    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def add(database: Database, user_id: str, amount: int) -> Entry:
    with database.transaction("write") as db:
        done = ledger.add(db, user_id, amount, order=ORDER, now=NOW)
    assert isinstance(done, Entry)
    return done


def use(database: Database, user_id: str, amount: int) -> Entry | Refused:
    with database.transaction("write") as db:
        return ledger.use(db, user_id, amount, order=ORDER, now=NOW)


def change(database: Database, statement: Any) -> None:
    with database.transaction("write") as db:
        db.session.execute(statement)


def test_an_account_holds_so_much_and_no_more(database: Database, ada: str) -> None:
    with database.transaction("write") as db:
        for _ in range(MAX_BALANCE // MAX_AMOUNT):
            ledger.add(db, ada, MAX_AMOUNT, order=ORDER, now=NOW)

        refused = ledger.add(db, ada, 1, order=ORDER, now=NOW)
        held = ledger.reserve(
            db, ada, MAX_AMOUNT, expires_at=NOW + timedelta(1), order=ORDER, now=NOW
        )
        with_what_is_held = ledger.add(db, ada, 1, order=ORDER, now=NOW)
        used = ledger.use(db, ada, MAX_AMOUNT, order=ORDER, now=NOW)
        ledger.add(db, ada, MAX_AMOUNT, order=ORDER, now=NOW)
        assert isinstance(used, Entry)
        back = ledger.refund(db, ada, used.id, 1, order=ORDER, now=NOW)

    assert refused == Refused(Reason.TOO_MUCH, MAX_BALANCE)
    assert not isinstance(held, Refused)
    assert with_what_is_held == Refused(Reason.TOO_MUCH, MAX_BALANCE - MAX_AMOUNT)
    assert isinstance(back, Refused)
    assert back.reason == Reason.TOO_MUCH


@pytest.mark.parametrize(
    "values",
    [
        {"balance": -1},
        {"reserved": -1},
        {"balance": MAX_BALANCE + 1},
        {"balance": MAX_BALANCE, "reserved": 1},
    ],
    ids=str,
)
def test_the_database_refuses_a_balance_that_cannot_be(
    database: Database, ada: str, values: dict[str, int]
) -> None:
    add(database, ada, 500)

    with pytest.raises(IntegrityError):
        change(database, update(accounts).values(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"new_balance": -1},
        {"amount": 0},
        {"amount": -5},
        {"balance_change": 499},
        {"type": "credit_used"},
        {"type": "gift"},
        {"reserved_change": 1},
        {"sequence": 0},
    ],
    ids=str,
)
def test_the_database_refuses_an_entry_that_cannot_be(
    database: Database, ada: str, values: dict[str, Any]
) -> None:
    add(database, ada, 500)

    with pytest.raises(IntegrityError):
        change(database, update(entries).values(**values))


def test_two_entries_have_one_number_never(database: Database, ada: str) -> None:
    add(database, ada, 500)
    add(database, ada, 500)

    with pytest.raises(IntegrityError):
        change(database, update(entries).values(sequence=1))


def spend_until_refused(database: Database, name: str) -> int:
    """In a process of its own: how often one hundredth was there to spend."""
    with database.transaction("read") as db:
        [user_id] = [row.id for row in db.session.execute(text("SELECT id FROM users"))]
    done = 0
    while isinstance(use(database, str(user_id), 1), Entry):
        done += 1
    return done


@pytest.mark.race
@pytest.mark.slow
def test_two_processes_spend_no_more_than_there_is(database: Database, ada: str) -> None:
    add(database, ada, 100)

    spent = race(spend_until_refused, database)

    assert sum(spent) == 100
    with database.transaction("read") as db:
        assert ledger.reconcile(db) == []


def planted(ada: str, entry_id: str) -> dict[str, Any]:
    """Each corruption by the kind of mismatch that tells of it."""
    return {
        "balance": update(accounts).values(balance=accounts.c.balance + 1),
        "reserved": update(accounts).values(reserved=accounts.c.reserved + 1),
        "number of entries": update(accounts).values(sequence=accounts.c.sequence + 1),
        "number of the last entry": update(entries)
        .where(entries.c.type == "credit_used")
        .values(sequence=9),
        "balance after an entry": update(entries)
        .where(entries.c.id == entry_id)
        .values(new_balance=entries.c.new_balance + 1),
        "open reservations": update(reservations).values(settled_at=NOW),
        "refunds of an entry": update(entries)
        .where(entries.c.type == "credit_added")
        .values(type="refunded", original_id=entry_id),
        "settlement of a reservation": update(entries)
        .where(entries.c.type == "credit_added")
        .values(original_id=entry_id),
    }


@pytest.mark.parametrize("what", planted("", ""))
def test_reconciliation_finds_what_was_planted_and_mends_nothing(
    database: Database, ada: str, what: str
) -> None:
    add(database, ada, 500)
    used = use(database, ada, 200)
    assert isinstance(used, Entry)
    with database.transaction("write") as db:
        ledger.reserve(db, ada, 100, expires_at=NOW + timedelta(1), order=ORDER, now=NOW)
        assert ledger.reconcile(db) == []

    change(database, planted(ada, used.id)[what])

    for _ in range(2):
        with database.transaction("read") as db:
            found = ledger.reconcile(db)
        assert what in {mismatch.what for mismatch in found}
        assert {mismatch.user_id for mismatch in found} == {ada}
        assert all(mismatch.expected != mismatch.found for mismatch in found)


def test_a_lost_entry_is_found(database: Database, ada: str) -> None:
    add(database, ada, 500)
    change(database, delete(entries))

    with database.transaction("read") as db:
        found = {mismatch.what for mismatch in ledger.reconcile(db)}

    assert {"balance", "number of entries"} <= found


def test_nothing_but_the_ledger_writes_its_tables() -> None:
    tables = re.compile(
        r"credit_(accounts|entries|reservations)\b|\bCredit(Account|Entry|Reservation)\b"
        r"|ledger\.(tables|accounts)\b"
    )
    knowing = {
        str(path)
        for path in tracked_modules()
        if path.parts[0] == "oidc_server" and tables.search((ROOT / path).read_text())
    }

    assert knowing
    elsewhere = {path for path in knowing if not path.startswith("oidc_server/domain/ledger/")}
    assert elsewhere == {
        "oidc_server/domain/erasure.py",  # says what it leaves alone
        "oidc_server/domain/restoration.py",  # so does it
        "oidc_server/transfer/writing.py",  # asks whether a database is in use
    }


def test_no_float_is_near_the_ledger() -> None:
    for path in tracked_modules():
        if path.as_posix().startswith(("oidc_server/domain/ledger/", "oidc_server/credits/")):
            written = (ROOT / path).read_text()
            assert not re.search(r"\bfloat\(|\bNumeric\b|\bREAL\b|[^/]/ 100\b", written), path
