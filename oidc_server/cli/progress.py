"""How far a long command has come: a bar on a terminal, else lines of JSON. Both on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import typer

from oidc_server.transfer import Progress

_EVERY = 1.0
"""Seconds from one line to the next."""


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """Give it how many are done, of how many, as often as you like."""
    if sys.stderr.isatty():
        with _bar(label) as tell:
            yield tell
        return
    lines = _Lines(label)
    yield lines
    lines.end()


@contextmanager
def _bar(label: str) -> Iterator[Progress]:
    with typer.progressbar(length=1, label=label, file=sys.stderr, show_eta=True) as bar:
        shown = 0

        def tell(done: int, total: int) -> None:
            nonlocal shown
            bar.length = max(total, 1)
            bar.update(done - shown)
            shown = done

        yield tell
        bar.finish()
        bar.render_progress()


class _Lines:
    """A line a second, and one at the end."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._said_at = time.monotonic()
        self._last = self._said = (0, 0)

    def __call__(self, done: int, total: int) -> None:
        self._last = (done, total)
        if time.monotonic() - self._said_at >= _EVERY:
            self._say()

    def end(self) -> None:
        if self._last != self._said:
            self._say()

    def _say(self) -> None:
        self._said_at, self._said = time.monotonic(), self._last
        done, total = self._last
        line = orjson.dumps({"progress": self._label, "done": done, "of": total})
        typer.echo(line.decode(), err=True)
