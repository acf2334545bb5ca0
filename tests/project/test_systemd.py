"""The unit for systemd and the nginx before it, read without running either of them."""

import re
from configparser import RawConfigParser
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import typer

from oidc_server.cli import application
from oidc_server.routes import ROUTES
from oidc_server.settings import load
from tests.project.repository import ROOT, read
from tests.services.external_service import certificate_for
from tests.services.nginx import Start, around
from tests.services.ports import free_port

_SECTION = (
    read("docs/operations.md").partition("\n## Machines of your own\n")[2].partition("\n## ")[0]
)
_OF_THE_PLACE = {"OIDC_DATABASE_URL_FILE", "OIDC_SECRET_KEY_FILE", "OIDC_SMTP_URL_FILE"}


@pytest.fixture
def service():
    unit = RawConfigParser()
    unit.read(ROOT / "examples/systemd/oidc-server@.service")
    return unit["Service"]


@pytest.fixture
def settings():
    """What the documentation puts into `.env`, but for what stands in files of the machine."""
    stated = dict(re.findall(r"^ *(OIDC_\w+)=(\S+)$", _SECTION, re.MULTILINE))
    assert stated.keys() > _OF_THE_PLACE
    here = {name: value for name, value in stated.items() if name not in _OF_THE_PLACE}
    return load({**here, "OIDC_SECRET_KEY": "x" * 32}, None)


def test_a_node_has_the_time_to_end_before_systemd_kills_it(service, settings):
    patience = timedelta(seconds=int(service["TimeoutStopSec"]))

    assert patience >= settings.drain_time + settings.shutdown_grace + timedelta(seconds=10)


def test_a_node_may_open_as_many_files_as_it_takes_connections(service, settings):
    assert int(service["LimitNOFILE"]) >= settings.max_connections + 256


def test_a_node_is_started_with_options_that_the_command_has(service):
    _program, name, *options = service["ExecStart"].split()
    command: Any = typer.main.get_group(application)

    command.commands[name].make_context(name, [word.replace("%i", "8001") for word in options])


def test_a_node_has_started_when_it_is_ready(service):
    path = service["ExecStartPost"].partition("127.0.0.1:%i")[2]

    assert path == "/health/ready"
    assert path in {route.path for route in ROUTES}


@pytest.mark.slow
def test_nginx_runs_with_its_configuration(tmp_path, nginx: Start):
    port, other = free_port(), free_port()
    (tmp_path / "nginx.conf").write_text(around("include server.conf;"))
    server = read("examples/systemd/nginx.conf")
    (tmp_path / "server.conf").write_text(re.sub(r" +listen \[::\].*\n", "", server))
    certificate_for("id.example.com", tmp_path)
    words = {
        "listen 80;": f"listen 127.0.0.1:{other};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "127.0.0.1:8001": f"127.0.0.1:{free_port()}",
        "127.0.0.1:8002": f"127.0.0.1:{free_port()}",
        "/etc/letsencrypt/live/id.example.com/fullchain.pem": "id.example.com.pem",
        "/etc/letsencrypt/live/id.example.com/privkey.pem": "id.example.com.pem",
        "/var/log/nginx/oidc-server.log": "written/access.log",
    }

    with nginx(tmp_path, port, words):
        plain = httpx2.get(
            f"http://127.0.0.1:{other}/login?x=1", headers={"host": "id.example.com"}
        )
        ours = httpx2.get(f"https://127.0.0.1:{port}/login", verify=False)
        hidden = httpx2.get(f"https://127.0.0.1:{port}/health", verify=False)

    assert (plain.status_code, plain.headers["location"]) == (
        301,
        "https://id.example.com/login?x=1",
    )
    assert (ours.status_code, hidden.status_code) == (502, 404)
