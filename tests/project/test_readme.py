"""What the README says is so."""

import re
import sys
from pathlib import Path

import httpx2
import pytest

from oidc_server.cli import application
from oidc_server.routes import ROUTES
from oidc_server.settings import describe
from tests.browser import Browser
from tests.examples.running import PASSWORD, ROOT, running_place, running_program
from tests.factories import Person
from tests.services.ports import free_port

README = (ROOT / "README.md").read_text()
_WRAPPER = """

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import Route

app = Starlette(
    routes=[Route("/sign-in", sign_in), Route("/callback", callback)],
    middleware=[Middleware(SessionMiddleware, secret_key="only for this test")],
)
"""


def settings_table() -> str:
    """The table of settings as the README holds it."""
    lines = ["| Setting | Default | What it is for |", "| --- | --- | --- |"]
    lines += [f"| `{row.name}` | {row.default} | {row.description} |" for row in describe()]
    return "\n".join(lines)


def test_the_table_of_settings_is_that_of_the_program() -> None:
    shown = re.search(r"<!-- settings -->\n(.*)<!-- /settings -->", README, re.DOTALL)

    assert shown is not None
    assert shown[1].strip() == settings_table(), "write the table anew: see settings_table()"


@pytest.mark.parametrize("command", ["make serve", "make test"])
def test_the_two_commands_are_targets_of_the_makefile(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert command in README
    assert re.search(rf"^{command.removeprefix('make ')}:", makefile, re.MULTILINE)


def test_every_address_is_told() -> None:
    addresses = {route.path for route in ROUTES} | {"/dev/app", "/dev/mail"}

    told = set(re.findall(r"`(/[^` ]*)`", section("Addresses")))

    assert told == addresses


def test_every_command_is_told() -> None:
    commands = {str(command.name) for command in application.registered_commands} | {
        f"{group.name} {command.name}"
        for group in application.registered_groups
        if group.typer_instance is not None
        for command in group.typer_instance.registered_commands
    }

    first_cells = re.findall(r"^\| ([^|]*) \|", section("Commands"), re.MULTILINE)[2:]
    told = {command for cell in first_cells for command in re.findall(r"`([^`]+)`", cell)}

    assert told == commands


def section(title: str) -> str:
    """The text below a heading of the README."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_lines_that_add_sign_in_to_an_application_sign_a_person_in(tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    with running_place(tmp_path) as place:
        place.add_user("ada")
        home = f"http://localhost:{free_port()}"
        app = place.add_app("My app", home)
        lines = block[1].replace("http://localhost:8000", place.issuer)
        lines = lines.replace("http://localhost:9000", home)
        lines = lines.replace("CLIENT_ID", app["CLIENT_ID"])
        lines = lines.replace("CLIENT_SECRET", app["CLIENT_SECRET"])
        (tmp_path / "snippet.py").write_text(lines + _WRAPPER)
        port = home.rpartition(":")[2]
        command = [sys.executable, "-m", "uvicorn", "--port", port, "snippet:app"]

        with (
            running_program(command, tmp_path, {}, home),
            httpx2.Client(base_url=place.issuer) as client,
        ):
            browser = Browser(client, place.issuer)
            start = client.get(f"{home}/sign-in")
            page = browser.go(start.headers["location"])
            page = browser.log_in(page, Person("", "ada", "", PASSWORD))
            page = browser.allow(page)
            greeting = client.get(page.headers["location"])

    assert re.fullmatch(r"Hello ada, known to us as [0-9a-f-]{36}\.", greeting.text), greeting.text
