"""Statements of hot paths: compiled once for each dialect."""

import sys
from collections import namedtuple
from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import Executable, visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import SelectBase

_PACKAGE = "oidc_server."


class Compiled:
    """One statement for one dialect: its SQL, the order of parameters, converters of values."""

    __slots__ = (
        "binds",
        "call",
        "defaults",
        "make_row",
        "name",
        "names",
        "only_reads",
        "processors",
        "sql",
    )

    def __init__(self, core: Executable, dialect: Dialect, name: str) -> None:
        style: Any = "numeric_dollar" if dialect.name == "postgresql" else "qmark"
        kind: Any = PGDialect_psycopg2 if dialect.name == "postgresql" else type(dialect)
        statement: Any = core
        compiled: Any = statement.compile(dialect=kind(paramstyle=style))
        self.sql = str(compiled)
        self.only_reads = _only_reads(core)
        self.name = name
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())
        places = ",".join(["%s"] * len(self.names))
        self.call = f"EXECUTE {name}({places})" if places else f"EXECUTE {name}"
        """The SQL that executes it on PostgreSQL, once it is prepared."""
        self.defaults: dict[str, Any] = {k: v for k, v in compiled.params.items() if v is not None}
        self.binds: dict[str, Any] = {}
        for parameter, bound in compiled.bind_names.items():
            processor = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if processor is not None:
                self.binds[bound] = processor
        columns = compiled._result_columns  # noqa: SLF001 - no other way to the types
        self.processors = [
            (index, processor)
            for index, column in enumerate(columns)
            if (processor := column.type.dialect_impl(dialect).result_processor(dialect, None))
            is not None
        ]
        names = [column.keyname for column in columns]
        row: Any = namedtuple("Row", names) if names else None  # noqa: PYI024 - made per statement
        self.make_row = row and row._make

    def arguments(self, parameters: dict[str, Any]) -> list[Any]:
        """The values in the order of the SQL, converted for the driver."""
        values = {**self.defaults, **parameters} if self.defaults else parameters
        binds = self.binds
        return [binds[name](values[name]) if name in binds else values[name] for name in self.names]

    def row(self, raw: Sequence[Any]) -> Any:
        if self.processors:
            raw = list(raw)
            for index, process in self.processors:
                if (value := raw[index]) is not None:
                    raw[index] = process(value)
        return self.make_row(raw)


def _only_reads(core: Executable) -> bool:
    """Whether it neither writes nor locks."""
    return isinstance(core, SelectBase) and not any(
        isinstance(part, UpdateBase) or getattr(part, "_for_update_arg", None) is not None
        for part in visitors.iterate(core)
    )


class Statement:
    """A Core statement made once as a module constant; its parameters are `bindparam`s.

    Column defaults computed in Python are not applied: an insert names every column.
    """

    __slots__ = ("_by_dialect", "_title", "core", "name")
    _count = 0

    def __init__(self, core: Executable) -> None:
        Statement._count += 1
        self.core = core
        self.name = f"s{Statement._count}"
        self._title: str | None = None
        self._by_dialect: dict[str, Compiled] = {}

    @property
    def title(self) -> str:
        """The constant that holds it, such as `domain.grants._REDEEM`: for the log."""
        if self._title is None:
            self._title = _constant_of(self) or self.name
        return self._title

    def compiled(self, dialect: Dialect) -> Compiled:
        found = self._by_dialect.get(dialect.name)
        if found is None:
            found = self._by_dialect[dialect.name] = Compiled(self.core, dialect, self.name)
        return found


def _constant_of(statement: Statement) -> str | None:
    """The name of the constant that is this statement, or a dict with it."""
    for module in [name for name in sys.modules if name.startswith(_PACKAGE)]:
        for constant, value in vars(sys.modules[module]).items():
            held = value.values() if isinstance(value, dict) else (value,)
            if any(one is statement for one in held):
                return f"{module.removeprefix(_PACKAGE)}.{constant}"
    return None
