"""Small JSON documents in a folder, each in a file of its own: memory that all workers share."""

import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_NAME = re.compile(r"[a-z0-9-]{1,80}")


class Records:
    """Documents by name (lower-case letters, digits, '-'); only the newest `limit` are kept."""

    def __init__(self, folder: Path, limit: int = 100) -> None:
        self._folder = folder
        self._limit = limit

    def put(self, name: str, document: Document) -> None:
        """Write a document; who reads at the same time finds the old one or the new one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._folder / f".{secrets.token_hex(8)}"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(document, file)
        new.replace(self._path(name))
        for _, superfluous in self._by_age()[: -self._limit]:
            superfluous.unlink(missing_ok=True)

    def get(self, name: str) -> Document | None:
        """The document of this name, or None; also for what cannot be a name."""
        if not _NAME.fullmatch(name):
            return None
        try:
            document: Document = json.loads(self._path(name).read_text())
        except FileNotFoundError:
            return None
        return document

    def take(self, name: str) -> Document | None:
        """The document, and nobody gets it again."""
        if not _NAME.fullmatch(name):
            return None
        taken = f"{secrets.token_hex(8)}-taken"
        try:
            self._path(name).replace(self._path(taken))
        except FileNotFoundError:
            return None
        document = self.get(taken)
        self._path(taken).unlink()
        return document

    def names(self) -> list[str]:
        """Every name, the newest document first."""
        return [path.stem for _, path in reversed(self._by_age())]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _by_age(self) -> list[tuple[int, Path]]:
        found = []
        for path in self._folder.glob("*.json"):
            with suppress(FileNotFoundError):
                found.append((path.stat().st_mtime_ns, path))
        return sorted(found)
