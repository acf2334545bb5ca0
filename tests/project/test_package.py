"""An installed wheel is the whole server: its pages, styles and migrations travel inside."""

import subprocess
import sys
import zipfile

import pytest

from tests.project.repository import ROOT, tracked_files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True,
        text=True,
        check=True,
    )
    [path] = folder.glob("*.whl")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["templates", "static", "migrations", "oidc_server"])
def test_the_wheel_carries_every_file_of(folder, wheel):
    tracked = {path for path in tracked_files() if path.parts[0] == folder}
    inside = set(zipfile.ZipFile(wheel).namelist())

    expected = {str(path) if folder == "oidc_server" else f"oidc_server/{path}" for path in tracked}

    assert expected
    assert expected - inside == set()


@pytest.mark.slow
def test_the_wheel_carries_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"oidc_server"}
    assert not [name for name in names if "__pycache__" in name]


@pytest.mark.slow
def test_the_wheel_installs_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        [entry_points] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        text = archive.read(entry_points).decode()

    assert "oidc-server = oidc_server.cli:main" in text
