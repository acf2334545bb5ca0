"""The lists of people: each walks an index, and looks at a limited number of rows."""

import uuid

import pytest
from sqlalchemy import insert, text

from oidc_server.domain import closed_accounts, roles, user_directory
from oidc_server.domain.base import table_of
from oidc_server.domain.user_directory import Place, Wanted
from oidc_server.domain.users import User
from tests.domain.conftest import NOW

PEOPLE = 3000
DISABLED = 100
SOMEBODY = "0193b1d2-0000-4000-8000-000000000000"


@pytest.fixture
def crowd(database):
    """Many people, of whom few are disabled, unverified or moderators."""
    names = [f"person{number:05}" for number in range(PEOPLE)]
    columns = table_of(User).c
    rows = [
        {
            **dict.fromkeys(column.name for column in columns),
            "id": str(uuid.uuid4()),
            "username": name,
            "canonical_username": name,
            "email": f"{name}@example.com",
            "canonical_email": f"{name}@example.com",
            "email_verified_at": NOW,
            "created_at": NOW,
            "updated_at": NOW,
        }
        for name in names
    ]
    with database.transaction("write") as db:
        db.session.execute(insert(table_of(User)), rows)
    with database.transaction("write") as db:
        for row in rows[-DISABLED:]:
            closed_accounts.mark_disabled(db, str(row["id"]), NOW)
        for row in rows[: PEOPLE // 2]:
            roles.assign(db, str(row["id"]), roles.MODERATOR, NOW)
        for table in ("users", "role_assignments"):
            db.session.execute(text(f"ANALYZE {table}"))
    return names


@pytest.mark.parametrize(
    ("walk", "wanted", "after", "index"),
    [
        ("by_username", Wanted(), None, "uq_users_canonical_username"),
        (
            "by_username",
            Wanted(search="person0"),
            Place("username", "person00010", SOMEBODY),
            "uq_users_canonical_username",
        ),
        ("by_username", Wanted(disabled=True), None, "ix_users_disabled"),
        ("by_username", Wanted(verified=False), None, "ix_users_unverified"),
        (
            "by_email",
            Wanted(search="person0"),
            Place("email", "person00010@example.com", SOMEBODY),
            "ix_users_canonical_email_id",
        ),
        (
            "by_role",
            Wanted(role="moderator"),
            Place("role", "", SOMEBODY),
            "ix_role_assignments_role_user_id",
        ),
    ],
)
def test_a_page_is_read_along_an_index_without_sorting(database, crowd, walk, wanted, after, index):
    del crowd
    statement = getattr(user_directory, walk)(wanted, after).limit(51)

    with database.transaction("read") as db:
        plan = explained(db, statement)

    assert index in plan or (index.startswith("uq_") and "sqlite_autoindex_users" in plan), plan
    assert "Seq Scan on users" not in plan
    assert "SCAN users\n" not in f"{plan}\n"
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_a_page_looks_at_a_limited_number_of_rows_and_says_where_to_go_on(database, crowd):
    wanted = Wanted(role=None, disabled=True, verified=True, search="person")
    pages, place = [], None

    with database.transaction("read") as db:
        while True:
            page = user_directory.page(db, Wanted(verified=False, disabled=False), 50, place)
            pages.append(page)
            place = page.next
            if place is None:
                break
        found = user_directory.page(db, wanted, 200)

    assert [user.username for page in pages for user in page.users] == []
    assert len(pages) == 1
    assert [user.username for user in found.users] == crowd[-DISABLED:]


def test_short_pages_lead_to_everybody_in_the_end(database, crowd):
    wanted, place, met = Wanted(search="person"), None, []

    with database.transaction("read") as db:
        while True:
            page = user_directory.page(db, wanted, 200, place)
            met += [user.username for user in page.users]
            place = page.next
            if place is None:
                break

    assert met == crowd


def explained(db, statement):
    prefix = "EXPLAIN" if db.dialect_name == "postgresql" else "EXPLAIN QUERY PLAN"
    connection = db.session.connection()
    compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
    rows = connection.exec_driver_sql(f"{prefix} {compiled}".replace("%", "%%"))
    return "\n".join(str(row[-1] if len(row) > 1 else row[0]) for row in rows)
