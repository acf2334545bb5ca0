"""Where files that are not Python are found."""

import shutil
import subprocess
import sys
from pathlib import Path

from oidc_server import resources

ROOT = Path(__file__).parents[1]


def test_in_a_checkout_the_folders_lie_beside_the_package():
    assert resources.templates_dir() == ROOT / "templates"
    assert resources.static_dir() == ROOT / "static"
    assert resources.migrations_dir() == ROOT / "migrations"


def test_in_an_installed_package_its_own_folders_win_over_those_beside_it(tmp_path):
    package = tmp_path / "oidc_server"
    (package / "templates").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    shutil.copy(ROOT / "oidc_server" / "resources.py", package)
    (package / "__init__.py").touch()

    found = subprocess.run(
        [sys.executable, "-c", "from oidc_server import resources as r; print(r.templates_dir())"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert Path(found.stdout.strip()) == package / "templates"
