"""A wheel, installed somewhere else, runs the whole server from an empty folder."""

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.examples.running import ROOT
from tests.services import run
from tests.services.server import OPTIONS, RunningServer, running_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `oidc-server` of an environment into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, folder, ROOT], check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")

    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    packages = sysconfig.get_path(
        "purelib", "venv", {"base": str(environment), "platbase": str(environment)}
    )
    # What the wheel depends on is borrowed. A path in a .pth file comes last, and the .pth file
    # of the checkout, which lies there, is not read: so `oidc_server` can only be the wheel's.
    Path(packages, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [sys.executable, "-m", "pip", "--python", str(environment), "install"]
    subprocess.run(
        [*install, "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", wheel],
        check=True,
        capture_output=True,
    )
    return environment / "bin" / "oidc-server"


@pytest.fixture
def server(command: Path, tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path, {}, command=(str(command), "serve"), options=OPTIONS) as server:
        yield server


def test_everything_comes_from_the_wheel(command: Path, tmp_path: Path) -> None:
    code = "from oidc_server import resources; print(resources.__file__)"

    said = subprocess.run(
        [command.with_name("python"), "-c", code],
        cwd=tmp_path,
        env=run.clean_environment(),
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert Path(said.strip()).is_relative_to(command.parents[1])


def test_an_installed_wheel_serves_from_an_empty_folder(
    server: RunningServer, tmp_path: Path
) -> None:
    with httpx2.Client(base_url=server.base_url) as http:
        ready = http.get("/health/ready")
        metadata = http.get("/.well-known/openid-configuration").json()
        page = http.get("/login")
        german = http.get("/login", headers={"accept-language": "de"})
        style = http.get(page.text.partition('rel="stylesheet" href="')[2].partition('"')[0])

    assert ready.status_code == 200
    assert metadata["issuer"] == f"http://localhost:{server.base_url.rpartition(':')[2]}"
    assert 'id="sign-in"' in page.text
    assert "Anmelden" in german.text
    assert style.headers["content-type"].startswith("text/css")
    assert (tmp_path / "data" / "oidc.db").is_file()


def test_an_installed_wheel_registers_a_client(command: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [command, *("clients", "add", "--name", "Ledger", "--type", "service", "--json")],
        cwd=tmp_path,
        env=run.clean_environment(),
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"client_secret"' in done.stdout
