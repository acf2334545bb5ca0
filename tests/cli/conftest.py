"""The command line in this process: quick, on a data folder that only one test uses."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from oidc_server import cli
from tests.services.typed import Done, Terminal

SETTINGS = {
    "OIDC_ARGON2_TIME_COST": "1",
    "OIDC_ARGON2_MEMORY_KIB": "64",
}


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

    return Terminal(monkeypatch, capsys).run
