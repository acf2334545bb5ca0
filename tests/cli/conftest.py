"""The command line in this process: quick, on a data folder that only one test uses."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oidc_server import cli

SETTINGS = {
    "OIDC_ARGON2_TIME_COST": "1",
    "OIDC_ARGON2_MEMORY_KIB": "64",
}


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What it answered; fails unless that is one JSON document and nothing else."""
        return json.loads(self.stdout)


Run = Callable[..., Done]


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with tables and keys, to be copied."""
    folder = tmp_path_factory.mktemp("migrated") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OIDC_DATA_DIR", str(folder))
        patch.setattr(sys, "argv", ["oidc-server", "db", "upgrade"])
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert end.value.code == 0
    return folder


@pytest.fixture
def data_dir(migrated_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder that the commands of this test work on."""
    folder = tmp_path / "data"
    shutil.copytree(migrated_folder, folder)
    for name, value in {**SETTINGS, "OIDC_DATA_DIR": str(folder)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)  # no .env of a developer
    return folder


@pytest.fixture
def run(data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `oidc-server <arguments>`, with `stdin` as its standard input."""

    def run(*arguments: str, stdin: str | bytes = "") -> Done:
        sent = stdin if isinstance(stdin, bytes) else stdin.encode()
        monkeypatch.setattr(sys, "argv", ["oidc-server", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sent)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        written = capsys.readouterr()
        return Done(int(end.value.code or 0), written.out, written.err)

    return run
