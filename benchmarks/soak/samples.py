"""What is looked at: processes as the kernel sees them, tables, files of the database."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, make_url, text

from benchmarks.trees import Tree
from oidc_server import domain

_TABLES = sorted(table.name for table in domain.Base.metadata.sorted_tables)
_COUNTS = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in _TABLES)


class Kind(NamedTuple):
    """What a series is of, in what, and by how much it may rise in the end: a part, and so much."""

    unit: str
    part: float
    absolute: float


MEMORY = Kind("MB", 0.04, 3)
HANDLES = Kind("", 0.0, 4)
ROWS = Kind("rows", 0.15, 30)
SIZE = Kind("MB", 0.10, 1)

KEPT = {
    "table users": 1,
    "table clients": 1,
    "table credit_accounts": 1,
    "table credit_entries": 2,
}
"""Rows that each life leaves: who it was is erased, but the ledger and ids stay for good."""

Sample = dict[tuple[str, Kind], float]


def take(tree: Tree, engine: Engine) -> Sample:
    """Everything, by what it is called."""
    found: Sample = {}
    for number, pid in enumerate(tree.pids()):
        name = f"process {number}"
        with suppress(OSError):  # it may end meanwhile
            found |= _of_process(name, Path(f"/proc/{pid}"))
    with engine.connect() as connection:
        for table, rows in connection.execute(text(_COUNTS)):
            found[f"table {table}", ROWS] = rows
        if engine.dialect.name == "postgresql":
            size = connection.execute(text("SELECT pg_database_size(current_database())"))
            found["database", SIZE] = size.scalar_one() / 1e6
            wal = connection.execute(text("SELECT sum(size) FROM pg_ls_waldir()"))
            found["write-ahead log", SIZE] = float(wal.scalar_one()) / 1e6
            return found
    file = str(make_url(str(engine.url)).database)
    found["database", SIZE] = Path(file).stat().st_size / 1e6
    found["write-ahead log", SIZE] = Path(f"{file}-wal").stat().st_size / 1e6
    return found


def _of_process(name: str, place: Path) -> Sample:
    status = dict(
        line.split(":", 1) for line in (place / "status").read_text(encoding="utf-8").splitlines()
    )
    handles = []
    for handle in (place / "fd").iterdir():
        with suppress(OSError):
            handles.append(str(handle.readlink()))
    return {
        (f"{name}: resident", MEMORY): int(status["VmRSS"].split()[0]) / 1024,
        (f"{name}: threads", HANDLES): int(status["Threads"]),
        (f"{name}: open files", HANDLES): len(handles),
        (f"{name}: sockets", HANDLES): sum(one.startswith("socket:") for one in handles),
    }
