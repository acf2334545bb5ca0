"""A population of people with a past, made by the database in its real tables.

Everybody has sessions and grants of which the newest have ended, and are kept: a list has to find
its way around them. The first session and the first grant of each go on, and hang together.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5
from uuid import UUID

from sqlalchemy import Connection, create_engine, text

from oidc_server.clock import utc_now

_BORN = int((utc_now() - timedelta(days=90)).timestamp()) * 1_000_000
"""Microseconds since 1970 at which the first of them signed up; one follows every second."""
_SECOND = 1_000_000
BUSY = 1
"""The number of the one with a long past, as long in every population."""
BUSY_ENTRIES = 1000
GRANTS_EACH = 5
_HOLD_OF_GRANTS = 2
_SESSIONS_EACH = 2

# As all ids they begin with the time, in milliseconds: what has ended is deleted by them.
_ID = f"""(lpad(to_hex({_BORN // 1000} + {{number}} * 1000::bigint), 12, '0')
        || substr(md5('{{kind}}' || {{number}}), 1, 20))::uuid"""
_USER_ID = "md5('person ' || {number})::uuid"
_AT = f"{_BORN} + {{number}} * {_SECOND}::bigint"
_LATER = "((extract(epoch FROM now()) + 30 * 86400) * 1000000)::bigint"

_DIGEST = "sha256(convert_to('{kind} ' || {number}, 'UTF8'))"
# In the order of time: everybody's first, everybody's second, and so on.
_SERIES = """(SELECT k, n, (k - 1)::bigint * :users + n AS number
          FROM generate_series(1, {each}) AS k, generate_series(1, :users) AS n) AS series"""
# Everybody uses one application, and each a few of the others.
_CLIENT_ID = """CASE WHEN k = 1 THEN :client_id
            ELSE 'client' || lpad((1 + (n + k) % (:users / 10))::text, 7, '0') END"""

_USERS = f"""
INSERT INTO users (id, username, canonical_username, email, canonical_email, email_verified_at,
                   name, password_hash, created_at, updated_at)
SELECT {_USER_ID.format(number="n")}, 'person' || lpad(n::text, 7, '0'),
       'person' || lpad(n::text, 7, '0'), 'mail' || lpad(n::text, 7, '0') || '@example.com',
       'mail' || lpad(n::text, 7, '0') || '@example.com', {_AT.format(number="n")},
       'Person ' || n, (SELECT password_hash FROM users LIMIT 1), {_AT.format(number="n")},
       {_AT.format(number="n")}
  FROM generate_series(1, :users) AS n
"""
_ACCOUNTS = f"""
INSERT INTO credit_accounts (user_id, balance, reserved, sequence, updated_at)
SELECT {_USER_ID.format(number="n")}, 1000000 - 100 * (entries - 1), 0, entries,
       {_AT.format(number="n")}
  FROM (SELECT n, CASE WHEN n = {BUSY} THEN {BUSY_ENTRIES} ELSE :each END AS entries
          FROM generate_series(1, :users) AS n) AS people
"""
# In the order of time: everybody's first entry, everybody's second, and so on.
_ENTRIES = f"""
INSERT INTO credit_entries (id, user_id, sequence, type, amount, balance_change, reserved_change,
                            new_balance, reference_id, client_id, request_id, created_at)
SELECT {_ID.format(number="number", kind="entry")}, {_USER_ID.format(number="n")}, k,
       CASE WHEN k = 1 THEN 'credit_added' ELSE 'credit_used' END,
       CASE WHEN k = 1 THEN 1000000 ELSE 100 END,
       CASE WHEN k = 1 THEN 1000000 ELSE -100 END, 0, 1000000 - 100 * (k - 1),
       'order-' || number, 'shop', 'bench', {_AT.format(number="number")}
  FROM (SELECT k, n, (k - 1)::bigint * :users + n AS number
          FROM generate_series(1, :each) AS k, generate_series(1, :users) AS n
         UNION ALL
        SELECT k, {BUSY}, (k - 1)::bigint * :users + {BUSY}
          FROM generate_series(:each + 1, {BUSY_ENTRIES}) AS k) AS entries
 ORDER BY number
"""
_EVENTS = f"""
INSERT INTO audit_events (id, at, event, outcome, actor, actor_user_id, user_id, reference,
                          address, user_agent, detail)
SELECT {_ID.format(number="n", kind="event")}, {_AT.format(number="n")},
       'user.signed_up', 'success', 'user', {_USER_ID.format(number="n")},
       {_USER_ID.format(number="n")}, 'bench', '192.0.2.1', 'bench', '{{}}'
  FROM generate_series(1, :users) AS n
"""
# One for each ten people.
_CLIENTS = f"""
INSERT INTO clients (client_id, revision, type, metadata, canonical_name, created_at)
SELECT 'client' || lpad(n::text, 7, '0'), 1, 'web',
       jsonb_build_object('client_name', 'App ' || lpad(n::text, 7, '0')),
       'app ' || lpad(n::text, 7, '0'), {_AT.format(number="n")}
  FROM generate_series(1, :users / 10) AS n
"""
# They were seen in the future, so that none is touched: else the fewer would be touched less often.
_SESSIONS = f"""
INSERT INTO user_sessions (id, digest, sid, user_id, amr, auth_time, created_at, last_seen_at,
                           idle_expires_at, expires_at, ended_at, address, user_agent)
SELECT {_ID.format(number="number", kind="session")},
       {_DIGEST.format(kind="session", number="number")},
       md5('sid ' || number), {_USER_ID.format(number="n")}, 'pwd', {_AT.format(number="n")},
       {_AT.format(number="n")}, {_LATER}, {_LATER}, {_LATER},
       CASE WHEN k > 1 THEN {_AT.format(number="n")} END, '192.0.2.1', 'bench'
  FROM {_SERIES.format(each=_SESSIONS_EACH)}
"""
_GRANTS = f"""
INSERT INTO grants (grant_id, user_id, client_id, session_id, sid, scopes, resources, amr,
                    auth_time, created_at, expires_at, revoked_at)
SELECT {_ID.format(number="number", kind="grant")}, {_USER_ID.format(number="n")},
       {_CLIENT_ID}, CASE WHEN k = 1 THEN {_ID.format(number="n", kind="session")} END,
       CASE WHEN k = 1 THEN md5('sid ' || n) END, 'email openid profile', '', 'pwd',
       {_AT.format(number="n")}, {_AT.format(number="n")}, {_LATER},
       CASE WHEN k > {_HOLD_OF_GRANTS} THEN {_AT.format(number="n")} END
  FROM {_SERIES.format(each=GRANTS_EACH)}
"""
_REFRESH_TOKENS = f"""
INSERT INTO refresh_tokens (digest, grant_id, created_at, expires_at)
SELECT {_DIGEST.format(kind="refresh", number="number")},
       {_ID.format(number="number", kind="grant")}, {_AT.format(number="n")}, {_LATER}
  FROM {_SERIES.format(each=GRANTS_EACH)}
"""
_CONSENTS = f"""
INSERT INTO consents (user_id, client_id, scopes, resources, shown, granted_at)
SELECT {_USER_ID.format(number="n")}, {_CLIENT_ID}, 'email openid profile', '',
       (SELECT shown FROM consents WHERE client_id = :client_id LIMIT 1),
       {_AT.format(number="n")}
  FROM {_SERIES.format(each=GRANTS_EACH)}
"""
_EVERYTHING = (
    *(_USERS, _ACCOUNTS, _ENTRIES, _EVENTS, _CLIENTS, _SESSIONS),
    *(_GRANTS, _REFRESH_TOKENS, _CONSENTS),
)
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
  FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
 WHERE NOT indisunique AND relnamespace = 'public'::regnamespace
"""
_COUNTS = """
SELECT relname, reltuples::bigint, pg_table_size(oid), pg_indexes_size(oid)
  FROM pg_class WHERE relkind = 'r' AND reltuples >= :users / 10
   AND relnamespace = 'public'::regnamespace
 ORDER BY pg_total_relation_size(oid) DESC
"""


@dataclass(frozen=True)
class Population:
    """How many people there are; of tables the rows, the bytes, and those of their indexes."""

    users: int
    tables: tuple[tuple[str, int, int, int], ...]


def user_id(number: int) -> str:
    """The id of a person by number, from 1: the database makes it of the same digest."""
    digest = md5(f"person {number}".encode(), usedforsecurity=False)
    return str(UUID(digest.hexdigest()))


def username(number: int) -> str:
    return f"person{number:07}"


def session_handle(number: int) -> str:
    """The cookie of the session that this person has open."""
    return f"session {number}"


def refresh_token(number: int) -> str:
    """What this person's grant to the application gave first."""
    return f"refresh {number}"


def client_number(number: int) -> tuple[str, str]:
    """The id of a client by number, from 1 to a tenth of the people, and its name."""
    return f"client{number:07}", f"App {number:07}"


def populate(url: str, users: int, entries_each: int, client_id: str) -> Population:
    """Fill a migrated PostgreSQL database; a million people take some minutes.

    No server may be at work on it. One person is there already, who has permitted the application
    `client_id` what it may do: everybody takes after that one.
    """
    engine = create_engine(url)
    values = {"users": users, "each": entries_each, "client_id": client_id}
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            # Rows that fit by construction need not be looked up one by one; we are superuser.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            with _without_indexes(connection):
                for statement in _EVERYTHING:
                    connection.execute(text(statement), values)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
            connection.execute(text("CHECKPOINT"))
            tables = connection.execute(text(_COUNTS), values).all()
    finally:
        engine.dispose()
    return Population(users, tuple(tuple(table) for table in tables))


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Make the indexes again when all rows are there: row by row takes much longer."""
    indexes = connection.execute(text(_INDEXES)).all()
    for name, _ in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
    yield
    connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    for _, definition in indexes:
        connection.exec_driver_sql(definition)
