"""`oidc-server logout-deliveries`: what clients missed is seen, and tried again."""

from datetime import timedelta

import pytest

from oidc_server.clock import utc_now
from oidc_server.database import Database
from oidc_server.domain import logout_deliveries, outbox
from oidc_server.domain.base import new_id
from oidc_server.domain.outbox import Queue
from oidc_server.domain.session_clients import SessionClient


@pytest.fixture
def database(data_dir):
    database = Database(f"sqlite:///{data_dir}/oidc.db")
    yield database
    database.close()


def owe(database, client_id, *, refused=False):
    """A client is owed news; it refused them, if so told."""
    now = utc_now() - timedelta(minutes=1)
    uri = "https://app.example.net/backchannel"
    client = SessionClient(client_id, new_id(now), f"sid of {client_id}", uri, None)
    with database.transaction("write") as db:
        logout_deliveries.intend(db, client, new_id(now), now)
        if refused:
            item = outbox.lease(db, now, timedelta(minutes=5), Queue.LOGOUT)
            assert item is not None
            outbox.give_up(db, item, "the client refused it with status 400", now)


def test_deliveries_are_listed_with_how_they_stand(run, database):
    owe(database, "refusing", refused=True)
    owe(database, "waiting")

    everything = run("logout-deliveries", "list", "--json").json
    failed = run("logout-deliveries", "list", "--failed", "--json").json

    assert [(row["client_id"], row["state"]) for row in everything] == [
        ("waiting", "waiting"),
        ("refusing", "failed"),
    ]
    assert failed == everything[1:]
    assert failed[0]["sid"] == "sid of refusing"
    assert failed[0]["destination"] == "app.example.net"
    assert failed[0]["last_error"] == "the client refused it with status 400"
    assert failed[0]["next_attempt_at"] is None
    assert "refusing" in run("logout-deliveries", "list").stdout


def test_what_was_given_up_is_tried_again(run, database):
    owe(database, "one", refused=True)
    owe(database, "another", refused=True)
    first, _ = run("logout-deliveries", "list", "--failed", "--json").json

    one = run("logout-deliveries", "retry", first["id"], "--json")
    rest = run("logout-deliveries", "retry", "--failed", "--json")

    assert (one.json, rest.json) == ({"tried_again": 1}, {"tried_again": 1})
    assert run("logout-deliveries", "list", "--failed", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give the id of one, or --failed for all that were given up."),
        (("x", "--failed"), "Give the id of one, or --failed for all that were given up."),
        (("x",), "No delivery x waits or was given up."),
    ],
)
def test_what_cannot_be_tried_again_is_said_in_a_line(run, database, arguments, message):
    done = run("logout-deliveries", "retry", *arguments)

    assert (done.status, done.stderr) == (1, f"{message}\n")


def test_doctor_tells_of_what_was_given_up(run, database):
    owe(database, "refusing", refused=True)

    [row] = [row for row in run("doctor", "--json").json if row["check"] == "logouts"]

    assert row["result"] == "warn"
    assert row["finding"].startswith("1 were given up in a week.")
