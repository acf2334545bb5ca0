"""What a node needs to do its work, each looked at by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from oidc_server import resources
from oidc_server.database import (
    DatabaseUnavailableError,
    Transaction,
    schema_version,
    server_clock,
)
from oidc_server.database.schema_version import NoTablesError
from oidc_server.security.encryption import UnsealError
from oidc_server.web.runtime import Runtime

_CLOCK_TOLERANCE = timedelta(seconds=2)

_MIGRATE = "run the migrations (oidc-server db upgrade)."


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `finding` tells the operator a fact, and what to do."""

    name: str
    ok: bool
    finding: str


def checks(runtime: Runtime) -> list[Check]:
    """Look at everything; a database that is away is a finding too."""
    try:
        with runtime.database.transaction("read") as db:
            return examine(db, runtime)
    except DatabaseUnavailableError as error:
        return [Check("database", ok=False, finding=f"It cannot be reached: {error}.")]


def examine(db: Transaction, runtime: Runtime) -> list[Check]:
    """Look at everything inside a transaction; raises what the database raises when it is away."""
    clock = _check_clock(db, runtime.clock())
    found = [Check("database", ok=True, finding="It answers."), clock, _check_migrations(db)]
    if found[-1].ok:
        found.append(_check_keys(db, runtime))
    return found


def _check_clock(db: Transaction, now: datetime) -> Check:
    """Nodes that disagree on the time disagree on what has expired; the database is their judge."""
    ahead = now - server_clock.present(db)
    seconds, side = abs(ahead).total_seconds(), "ahead of" if ahead > timedelta() else "behind"
    return Check(
        "clock",
        ok=abs(ahead) <= _CLOCK_TOLERANCE,
        finding=f"It is {seconds:.1f} s {side} the database's.",
    )


def _check_migrations(db: Transaction) -> Check:
    try:
        at = schema_version.version(db)
    except NoTablesError:
        return Check("migrations", ok=False, finding=f"There are no tables: {_MIGRATE}")
    if at is not None and at > _head():
        return _check_newer(db, at)
    if at == _head():
        return Check("migrations", ok=True, finding=f"At {at}, the newest.")
    return Check("migrations", ok=False, finding=f"At {at or 'nothing'}, not {_head()}: {_MIGRATE}")


def _check_newer(db: Transaction, at: str) -> Check:
    """A newer node has migrated; it has written down whether we go on (ADR 0023)."""
    if schema_version.is_for(db, _head()):
        finding = f"At {at}, newer than {_head()}, which goes on until it is replaced."
        return Check("migrations", ok=True, finding=finding)
    finding = f"At {at}, which is not for {_head()}: install the newer version here too."
    return Check("migrations", ok=False, finding=finding)


@cache
def _head() -> str:
    """The newest migration that this code knows."""
    return resources.newest_migration()


def _check_keys(db: Transaction, runtime: Runtime) -> Check:
    now = runtime.clock()
    try:
        runtime.keys.refresh(db, now)
    except UnsealError:
        finding = "The secret is not the one that they are encrypted with."
        return Check("signing key", ok=False, finding=finding)
    algorithms = runtime.keys.algorithms(now)
    finding = f"There is one for {', '.join(algorithms)}." if algorithms else "There is none."
    return Check("signing key", ok=bool(algorithms), finding=finding)
