"""`oidc-server credits`."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from oidc_server.database import Database
from oidc_server.domain import ledger
from oidc_server.domain.ledger import Order

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def ada(run, data_dir):
    """Somebody with 12.50."""
    made = run(
        *("users", "add", "--username", "ada", "--email", "ada@example.com"),
        *("--password-stdin", "--json"),
        stdin="a long enough passphrase\n",
    ).json
    database = Database(f"sqlite:///{data_dir / 'oidc.db'}")
    with database.transaction("write") as db:
        order = Order("bank", None, "request")
        ledger.add(db, made["id"], 1250, order=order, now=NOW)
    database.close()
    return made["id"]


@pytest.mark.parametrize("name", ["ada", "ADA", "id"])
def test_a_balance_is_told(run, ada, name):
    told = run("credits", "balance", ada if name == "id" else name, "--json")

    assert told.json == {
        "user_id": ada,
        "balance": "12.50",
        "updated_at": "2026-01-05T00:00:00+00:00",
    }
    assert "12.50" in run("credits", "balance", "ada").stdout


@pytest.mark.parametrize("name", ["bob", "", "0193b1d2-0000-7000-8000-000000000000"])
def test_a_balance_of_nobody_is_refused(run, ada, name):
    told = run("credits", "balance", name)

    assert told.status == 1
    assert "There is no account" in told.stderr


def test_a_ledger_that_agrees_is_told_so(run, ada):
    told = run("credits", "reconcile")

    assert (told.status, told.stdout) == (0, "Everything agrees.\n")
    assert run("credits", "reconcile", "--json").json == []


def test_a_mismatch_is_told_and_ends_with_status_1(run, ada, data_dir):
    with closing(sqlite3.connect(data_dir / "oidc.db")) as connection:
        connection.execute("UPDATE credit_accounts SET balance = balance + 1")
        connection.commit()

    told, in_json = run("credits", "reconcile"), run("credits", "reconcile", "--json")

    assert (told.status, in_json.status) == (1, 1)
    assert ada in told.stdout
    assert in_json.json == [{"user_id": ada, "what": "balance", "expected": 1250, "found": 1251}]
