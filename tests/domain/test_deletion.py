"""An account that its owner wants deleted: shut, brought back, or gone for good."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text

from oidc_server.database import ConflictError, Database
from oidc_server.domain import (
    attempts,
    audit,
    clients,
    consents,
    endings,
    grants,
    ledger,
    links,
    outbox,
    refresh_tokens,
    roles,
    subjects,
    users,
)
from oidc_server.domain.attempts import Attempt
from oidc_server.domain.audit import AuditEvent, Event, Origin
from oidc_server.domain.base import Base
from oidc_server.domain.consents import Permission
from oidc_server.domain.ledger import Order
from oidc_server.domain.links import Purpose
from oidc_server.domain.outbox import OutboxRow
from oidc_server.domain.roles import LastAdministratorError
from tests.domain import sessions
from tests.domain.conftest import NOW
from tests.domain.racing import race
from tests.domain.test_endings import authorization_in, make_client
from tests.held_up import held_up

DAYS = timedelta(days=14)
LATER = NOW + DAYS
KEPT = {"users", "credit_accounts", "credit_entries", "audit_events", "outbox"}
PERSONAL = "Lovelace"


def schedule(database: Database, user_id: str, grace: timedelta = DAYS) -> None:
    with database.transaction("write") as db:
        endings.schedule_deletion(db, user_id, NOW, grace=grace)


def delete_due(database: Database, now=LATER) -> list[str]:
    with database.transaction("write") as db:
        return endings.delete_due(db, now, 10)


def find(database: Database, user_id: str):
    with database.transaction("read") as db:
        return users.get(db, user_id)


def bring_back(database: Database, user_id: str, now=NOW) -> bool:
    with database.transaction("write") as db:
        return endings.bring_back(db, user_id, now)


def live_a_little(database: Database, user_id: str) -> str:
    """Leave a row wherever somebody leaves one; return the id of a grant."""
    client_id = make_client(
        database, subject_type="pairwise", backchannel_logout_uri="https://b.example/"
    )
    handle = sessions.start(database, user_id)
    with database.transaction("write") as db:
        session_id = sessions.id_of(db, handle)
        client = clients.find(db, client_id)
        assert client is not None
        granted = grants.mint(db, authorization_in(session_id, user_id, client_id), NOW, DAYS * 9)
        refresh_tokens.mint(db, granted, NOW, DAYS)
        consents.remember(db, user_id, client, Permission(frozenset({"openid"})), NOW)
        subjects.pairwise_sub(db, client, user_id, NOW)
        roles.assign(db, user_id, "moderator", NOW)
        links.mint(
            db, Purpose.VERIFY_EMAIL, user_id=user_id, email="a@example.com", now=NOW, lifetime=DAYS
        )
        origin = Origin("ref", "192.0.2.77", f"{PERSONAL}s browser")
        audit.record(
            db, Event.SIGNED_IN, origin=origin, now=NOW, user_id=user_id, name="Ada Lovelace"
        )
        ledger.add(
            db, user_id, 500, purchase=True, order=Order(client_id, None, "r", None, None), now=NOW
        )
        return granted.grant_id


def tables_that_name(database: Database, user_id: str) -> set[str]:
    """Where the id of a person still stands, in any column."""
    found = set()
    with database.transaction("read") as db:
        for table in Base.metadata.sorted_tables:
            rows = db.session.execute(select(table)).all()
            if any(user_id in str(tuple(row)) for row in rows):
                found.add(table.name)
    return found


def everything(database: Database) -> str:
    with database.transaction("read") as db:
        return "\n".join(
            str(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in db.session.execute(select(table)).all()
        )


def test_an_account_that_is_to_be_deleted_is_shut_at_once(database, ada):
    handle = sessions.start(database, ada)
    grant_id = live_a_little(database, ada)

    schedule(database, ada)

    person = find(database, ada)
    assert (person.disabled_at, person.deletes_at) == (NOW, LATER)
    assert person.email == "ada@example.com"
    assert not sessions.lives(database, handle)
    with database.transaction("read") as db:
        granted = grants.find(db, grant_id)
    assert granted is not None
    assert not granted.holds(NOW)


def test_its_owner_brings_it_back_until_then_without_what_clients_held(database, ada):
    grant_id = live_a_little(database, ada)
    schedule(database, ada)

    assert delete_due(database, LATER - timedelta(microseconds=1)) == []
    assert bring_back(database, ada, LATER - timedelta(microseconds=1))

    person = find(database, ada)
    assert (person.disabled_at, person.deletes_at, person.returns_until) == (None, None, None)
    assert delete_due(database) == []
    with database.transaction("read") as db:
        granted = grants.find(db, grant_id)
    assert granted is not None
    assert granted.revoked_at == NOW


def test_who_is_coming_back_when_the_time_is_over_stays(database, ada):
    schedule(database, ada)

    with database.transaction("write") as db:
        assert endings.bring_back(db, ada, LATER - timedelta(microseconds=1))
        job = held_up(lambda: delete_due(database))
    assert job() == []
    with database.transaction("read") as db:
        assert users.get(db, ada).disabled_at is None


def edit(database: Database, user_id: str) -> None:
    with database.transaction("write") as db:
        users.edit(db, user_id, {"name": f"Ada {PERSONAL}"}, NOW)


def rename(database: Database, user_id: str) -> None:
    with database.transaction("write") as db:
        endings.rename_user(db, user_id, PERSONAL, NOW)


@pytest.mark.parametrize("change", [edit, rename])
def test_nothing_is_written_into_an_account_that_is_being_deleted(database, ada, change):
    with database.transaction("write") as db:
        endings.delete_user(db, ada, NOW)
        changing = held_up(lambda: change(database, ada))
    with pytest.raises(ConflictError):
        changing()

    assert PERSONAL not in everything(database)


def delete_at_once(database: Database, user_id: str) -> bool:
    with database.transaction("write") as db:
        return endings.delete_user(db, user_id, NOW)


def test_who_deletes_an_account_and_who_changes_its_password_wait_for_each_other_in_turn(
    database, ada
):
    sessions.start(database, ada)

    with database.transaction("write") as db:
        users.get_held(db, ada)
        deleting = held_up(lambda: delete_at_once(database, ada))
        endings.change_password(db, ada, "hash", NOW)

    assert deleting()
    assert not delete_at_once(database, ada)


def test_nobody_brings_back_what_is_due_or_was_shut_by_somebody_else(database, ada):
    schedule(database, ada)
    assert not bring_back(database, ada, LATER)

    with database.transaction("write") as db:
        endings.disable_user(db, ada, NOW)

    assert not bring_back(database, ada)
    assert users.is_shut(find(database, ada), NOW)
    assert delete_due(database) == [ada]


def test_nothing_personal_is_left_but_the_id_where_others_need_it(database, ada):
    live_a_little(database, ada)
    before = tables_that_name(database, ada)
    schedule(database, ada)

    assert delete_due(database) == [ada]

    assert {"grants", "consents", "links", "pairwise_subjects", "role_assignments"} <= before
    assert tables_that_name(database, ada) <= KEPT
    with database.transaction("write") as db:  # the last mail, which is deleted after some days
        db.session.execute(delete(OutboxRow))
    left = everything(database)
    for word in (PERSONAL, "192.0.2.77", "hash of the first password"):
        assert word not in left
    with database.transaction("read") as db:
        balance = ledger.find_balance(db, ada)
        events = list(db.session.scalars(select(AuditEvent).where(AuditEvent.user_id == ada)))
    assert balance is not None
    assert balance.balance == 500
    assert {event.event for event in events} == {"sign_in.succeeded"}
    assert delete_due(database) == []


def test_every_reference_to_a_person_is_a_user_id_or_can_be_emptied(database):
    """Whoever adds a table gets it emptied with the account, or hears of it here."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column.table.name == "users":
                assert key.parent.name == "user_id" or key.parent.nullable, table.name


def test_the_name_and_the_address_are_free_again_and_the_id_is_not(database, ada):
    schedule(database, ada, timedelta())

    with database.transaction("write") as db:
        another = users.create(
            db,
            username="Ada",
            email="ada@example.com",
            name=None,
            password_hash=None,
            now=NOW,
            email_verified=True,
        )

    gone = find(database, ada)
    assert another.id != ada
    assert (gone.deleted_at, gone.disabled_at, gone.username) == (NOW, NOW, f"deleted:{ada}")


def test_without_a_grace_period_it_goes_at_once_and_only_the_last_mail_names_the_address(
    database, ada
):
    live_a_little(database, ada)
    with database.transaction("write") as db:
        endings.change_password(db, ada, "another", NOW)

    schedule(database, ada, timedelta())

    with database.transaction("write") as db:
        item = outbox.lease(db, NOW, DAYS)
        assert item is not None
        assert outbox.lease(db, NOW, DAYS) is None
    assert (item.kind, item.payload["to"]) == ("security_notice", "ada@example.com")
    assert item.payload["user_id"] is None
    assert PERSONAL not in everything(database).replace(str(item.payload), "")


def test_a_mail_says_until_when_the_account_can_be_kept(database, ada):
    schedule(database, ada)

    with database.transaction("write") as db:
        item = outbox.lease(db, NOW, DAYS)
    assert item is not None
    assert (item.payload["facts"]["notice"], item.payload["to"]) == (
        "deletion_asked",
        "ada@example.com",
    )
    assert item.payload["facts"]["until"] == "2026-01-15T12:00:00+00:00"


def test_the_last_administrator_stays(database, ada):
    with database.transaction("write") as db:
        roles.assign(db, ada, roles.ADMIN, NOW)
        other = users.create(
            db, username="bob", email=None, name=None, password_hash=None, now=NOW
        ).id

    for grace in (DAYS, timedelta()):
        with pytest.raises(LastAdministratorError):
            schedule(database, ada, grace)
    with database.transaction("write") as db:
        roles.assign(db, other, roles.ADMIN, NOW)
    schedule(database, ada)

    with pytest.raises(LastAdministratorError):
        schedule(database, other)
    assert delete_due(database) == [ada]


def leave(database: Database, name: str) -> bool:
    """One of two administrators wants to be deleted."""
    with database.transaction("write") as db:
        user_id = db.session.scalar(text(f"SELECT id FROM users WHERE username = '{name}'"))  # noqa: S608
        try:
            endings.schedule_deletion(db, str(user_id), NOW, grace=DAYS)
        except LastAdministratorError:
            return False
    return True


@pytest.mark.race
def test_of_two_administrators_who_leave_at_once_one_stays(database):
    with database.transaction("write") as db:
        for name in ("first", "second"):
            person = users.create(
                db, username=name, email=None, name=None, password_hash=None, now=NOW
            )
            roles.assign(db, person.id, roles.ADMIN, NOW)

    assert sorted(race(leave, database)) == [False, True]


def test_what_was_counted_for_a_deleted_account_goes_and_that_of_others_stays(database, ada):
    others = "0" * 36
    with database.transaction("write") as db:
        for account in (ada, others):
            attempts.book(db, account, NOW)
            attempts.book_factor(db, account, NOW, browser="a browser")
            attempts.remember_browser(db, account, "a browser", NOW)
            attempts.book_factor(db, account, NOW, browser="a browser")
    schedule(database, ada)

    delete_due(database)

    with database.transaction("read") as db:
        left = db.session.scalars(select(Attempt.subject)).all()
    assert sum(others in subject for subject in left) == 5
    assert not any(ada in subject for subject in left)
