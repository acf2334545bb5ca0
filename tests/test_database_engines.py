"""What an engine does before the first statement."""

from pathlib import Path

import pytest

from oidc_server.database import Database


def test_a_database_in_memory_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite://")

    with database.transaction("write") as db:
        db.lock("anything")
    database.close()

    assert list(tmp_path.iterdir()) == []
