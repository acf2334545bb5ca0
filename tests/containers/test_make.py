"""`make up` and its like, with a `docker` that only writes down what it is asked."""

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from oidc_server.settings import load
from tests.factories import PASSWORD
from tests.project.repository import ROOT
from tests.services import run
from tests.services.command_line import CommandLine

DOCKER = """#!/bin/sh
echo "$*" >>asked
case "$*" in
  "compose version") exit ${NO_COMPOSE:-0} ;;
  info) exit ${NO_ENGINE:-0} ;;
  "compose ps"*) echo "$RUNNING" ;;
  "compose exec"*) cat >typed ;;
esac
"""
NOT_FROM_OUTSIDE = {"MAKEFLAGS": "", "MAKEOVERRIDES": "", "ARGS": ""}
"""What the `make` that runs the tests hands on, such as `make test ARGS=--durations=9`."""
SECRETS = {"secret_key", "postgres_password", "database_url"}


@dataclass(frozen=True)
class Checkout:
    """The files that the targets need, in a folder of their own."""

    folder: Path

    def make(
        self, *arguments: str, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shutil.which("make") or "make", "--no-print-directory", *arguments],
            cwd=self.folder,
            env={**run.clean_environment(), **NOT_FROM_OUTSIDE, "PATH": self.path, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def path(self) -> str:
        return f"{self.folder / 'bin'}:{os.environ['PATH']}"

    def asked(self) -> list[str]:
        """What docker was told to do, without what it was asked about itself."""
        lines = (self.folder / "asked").read_text().splitlines()
        return [
            line for line in lines if not line.startswith(("compose version", "compose ps", "info"))
        ]

    def secrets(self) -> dict[str, str]:
        folder = self.folder / "data" / "secrets"
        return {file.name: file.read_text() for file in folder.iterdir()}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / ".venv" / ".serve").touch()
    return Checkout(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_up_makes_the_secrets_once_and_starts_everything(checkout: Checkout) -> None:
    done = checkout.make("up")

    assert done.returncode == 0, done.stderr
    assert "http://localhost:8000" in done.stdout
    assert checkout.asked() == ["compose build", "compose up --detach --wait"]
    made = checkout.secrets()
    assert made.keys() == SECRETS
    assert len(made["postgres_password"]) == 48
    assert made["database_url"].strip() == (
        f"postgresql://oidc:{made['postgres_password']}@postgres/oidc"
    )
    folder = checkout.folder / "data" / "secrets"
    settings = load(
        {
            "OIDC_DATABASE_URL_FILE": str(folder / "database_url"),
            "OIDC_SECRET_KEY_FILE": str(folder / "secret_key"),
        },
        None,
    )
    assert [len(key.get_secret_value()) for key in settings.secret_key] == [64]
    assert (mode(folder.parent), mode(folder)) == (0o700, 0o700)
    assert {mode(file) for file in folder.iterdir()} == {0o644}
    assert checkout.make("up").returncode == 0
    assert checkout.secrets() == made


def test_where_it_is_up_already_the_nodes_are_replaced_one_after_the_other(
    checkout: Checkout,
) -> None:
    done = checkout.make("up", RUNNING="0123456789ab")

    assert done.returncode == 0, done.stderr
    assert checkout.asked() == [
        "compose build",
        "compose run --rm migrate",
        "compose up --detach --wait --no-deps node-1",
        "compose up --detach --wait --no-deps node-2",
        "compose up --detach --wait",
    ]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PATH": "nowhere"}, "Docker is not installed."),
        ({"NO_COMPOSE": "1"}, "Docker has no Compose: install its plugin docker-compose."),
        ({"NO_ENGINE": "1"}, "Docker's engine does not answer: start it."),
    ],
)
@pytest.mark.parametrize("target", ["up", "down"])
def test_without_docker_it_says_what_is_missing_and_makes_nothing(
    checkout: Checkout, target: str, environment: dict[str, str], said: str
) -> None:
    done = checkout.make(target, **environment)

    assert done.returncode != 0
    assert f"{said} Without Docker there is make serve" in done.stderr
    assert not (checkout.folder / "data").exists()


def test_down_stops_and_deletes_nothing(checkout: Checkout) -> None:
    assert checkout.make("down").returncode == 0
    assert checkout.asked() == ["compose down"]


def test_in_the_containers_migrate_runs_the_program_of_now(checkout: Checkout) -> None:
    done = checkout.make("migrate", RUNNING="0123456789ab")

    assert (done.returncode, done.stderr) == (0, "In the containers:\n")
    assert checkout.asked() == ["compose run --build --rm migrate"]


def test_in_the_containers_create_admin_hands_on_what_is_typed(checkout: Checkout) -> None:
    named = ("username=ada", "email=ada@example.com", "ARGS=--password-stdin")
    done = checkout.make("create-admin", *named, stdin=PASSWORD, RUNNING="0123456789ab")

    assert done.returncode == 0, done.stderr
    [asked] = checkout.asked()
    assert asked == (
        "compose exec -T node-1 oidc-server"
        " users add --admin --username ada --email ada@example.com --password-stdin"
    )
    assert (checkout.folder / "typed").read_text() == PASSWORD


@pytest.mark.parametrize("said", [(), ("username=ada",)], ids=" ".join)
def test_where_nobody_answers_create_admin_says_what_it_needs(
    checkout: Checkout, said: tuple[str, ...]
) -> None:
    done = checkout.make("create-admin", *said)

    assert done.returncode != 0
    assert "say who: make create-admin username=ada email=ada@example.com\n" in done.stderr


@pytest.mark.slow
def test_without_containers_both_work_on_this_machine(checkout: Checkout) -> None:
    migrated = checkout.make("migrate")
    typed = f"ada\nada@example.com\n{PASSWORD}\n"
    made = checkout.make("create-admin", "ARGS=--password-stdin", stdin=typed)

    for done in (migrated, made):
        assert done.returncode == 0, done.stderr
        assert "On this machine:" in done.stderr
    [person] = CommandLine(checkout.folder, {}).answer("users", "list")
    assert (person["username"], person["roles"]) == ("ada", ["admin", "user"])
