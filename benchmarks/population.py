"""A population of people with credit and a past, made by the database in its real tables."""

from dataclasses import dataclass
from hashlib import md5
from uuid import UUID

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import ProgrammingError

_BORN = 1_767_225_600_000_000
"""Microseconds since 1970 at which the first of them signed up; one follows every second."""
_SECOND = 1_000_000
BUSY = 1
"""The number of the one with a long past, as long in every population."""
BUSY_ENTRIES = 1000

_ID = "(lpad(to_hex({number}), 12, '0') || substr(md5('{kind}' || {number}), 1, 20))::uuid"
_USER_ID = "md5('person ' || {number})::uuid"
_AT = f"{_BORN} + {{number}} * {_SECOND}::bigint"
_LATER = "((extract(epoch FROM now()) + 30 * 86400) * 1000000)::bigint"

_USERS = f"""
INSERT INTO users (id, username, canonical_username, email, canonical_email, email_verified_at,
                   name, created_at, updated_at)
SELECT {_USER_ID.format(number="n")}, 'person' || lpad(n::text, 7, '0'),
       'person' || lpad(n::text, 7, '0'), 'mail' || lpad(n::text, 7, '0') || '@example.com',
       'mail' || lpad(n::text, 7, '0') || '@example.com', {_AT.format(number="n")},
       'Person ' || n, {_AT.format(number="n")}, {_AT.format(number="n")}
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
# The newest nine of ten are over, and kept: a list has to find its way around them.
_SESSIONS = f"""
INSERT INTO user_sessions (id, digest, sid, user_id, amr, auth_time, created_at, last_seen_at,
                           idle_expires_at, expires_at, ended_at, address, user_agent)
SELECT {_ID.format(number="n", kind="session")}, decode(md5('session ' || n), 'hex'),
       md5('sid ' || n), {_USER_ID.format(number="n")}, 'pwd', {_AT.format(number="n")},
       {_AT.format(number="n")}, {_AT.format(number="n")}, {_LATER}, {_LATER},
       CASE WHEN n > :users / 10 THEN {_AT.format(number="n")} END, '192.0.2.1', 'bench'
  FROM generate_series(1, :users) AS n
"""
_GRANTS = f"""
INSERT INTO grants (grant_id, user_id, client_id, scopes, resources, amr, auth_time, created_at,
                    expires_at, revoked_at)
SELECT {_ID.format(number="n", kind="grant")}, {_USER_ID.format(number="n")},
       'client' || lpad((1 + n % (:users / 10))::text, 7, '0'), 'openid', '', 'pwd',
       {_AT.format(number="n")}, {_AT.format(number="n")}, {_LATER},
       CASE WHEN n > :users / 10 THEN {_AT.format(number="n")} END
  FROM generate_series(1, :users) AS n
"""
_EVERYTHING = (_USERS, _ACCOUNTS, _ENTRIES, _EVENTS, _CLIENTS, _SESSIONS, _GRANTS)
_COUNTS = """
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM credit_entries)
"""


@dataclass(frozen=True)
class Population:
    """How many people and entries there are."""

    users: int
    entries: int


def user_id(number: int) -> str:
    """The id of a person by number, from 1: the database makes it of the same digest."""
    digest = md5(f"person {number}".encode(), usedforsecurity=False)
    return str(UUID(digest.hexdigest()))


def username(number: int) -> str:
    return f"person{number:07}"


def client_number(number: int) -> tuple[str, str]:
    """The id of a client by number, from 1 to a tenth of the people, and its name."""
    return f"client{number:07}", f"App {number:07}"


def populate(url: str, users: int, entries_each: int) -> Population:
    """Fill a migrated PostgreSQL database; a million people take some minutes."""
    engine = create_engine(url)
    values = {"users": users, "each": entries_each}
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            _trust_references(connection)
            for statement in _EVERYTHING:
                connection.execute(text(statement), values)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
            people, entries = connection.execute(text(_COUNTS)).one()
    finally:
        engine.dispose()
    return Population(people, entries)


def _trust_references(connection: Connection) -> None:
    """Rows that fit by construction need not be looked up one by one; it takes a superuser."""
    try:
        with connection.begin_nested():
            connection.execute(text("SET LOCAL session_replication_role = replica"))
    except ProgrammingError:
        print("  (references are checked one by one: this takes longer)", flush=True)
