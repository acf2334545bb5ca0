"""What commands print: a few lines for people, or JSON for programs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, NoReturn

import orjson
import typer

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def show(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: a line per fact; further lines of a value stand below its first."""
    if as_json:
        _json(facts)
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        lines = _text(value).replace("\n", "\n" + " " * (width + 2))
        typer.echo(f"{name:<{width}}  {lines}")


def show_all(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Many things of a kind: a table."""
    if as_json:
        _json(rows)
    elif not rows:
        typer.echo("There are none yet.")
    else:
        _table(rows)


def show_batches(batches: Iterable[Sequence[Mapping[str, Any]]], *, as_json: bool) -> None:
    """More things than one may hold: a table as wide as its first batch, or an array."""
    if as_json:
        before = "["
        for row in chain.from_iterable(batches):
            typer.echo(f"{before}\n{_encoded(row)}", nl=False)
            before = ","
        typer.echo("[]" if before == "[" else "\n]")
        return
    widths: list[int] | None = None
    for rows in filter(None, batches):
        widths = _table(rows, widths)
    if widths is None:
        typer.echo("There are none yet.")


def _table(rows: Sequence[Mapping[str, Any]], widths: list[int] | None = None) -> list[int]:
    """Its lines, below names unless `widths` says that these stand there; returns the widths."""
    names = list(rows[0])
    cells = [[_text(row[name]) for name in names] for row in rows]
    if widths is None:
        cells.insert(0, names)
        widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())
    return widths


def fail(message: str, *, as_json: bool = False) -> NoReturn:
    """Say what is wrong and end with status 1."""
    if as_json:
        _json({"error": message})
    else:
        typer.echo(message, err=True)
    sys.exit(1)


def _json(value: object) -> None:
    typer.echo(_encoded(value))


def _encoded(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence | frozenset):
        return " ".join(str(item) for item in value) or "-"
    return str(value)
