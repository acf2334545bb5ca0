"""The image and the compose file, read without building or starting anything.

There was no container engine where they were written, so these checks are static: they find what
a reader would find, not what a start would.
"""

import json
import re
import tomllib
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer

from oidc_server import __version__
from oidc_server.cli import application
from oidc_server.routes import ROUTES
from oidc_server.settings import load
from tests.containers.composition import NODES, OURS, address_of, composition, nginx_values
from tests.project.repository import ROOT, read


@pytest.fixture
def dockerfile():
    """The instructions of the Dockerfile, as pairs."""
    lines = re.sub(r"\\\n", " ", read("Dockerfile")).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


@pytest.fixture
def compose():
    return composition()


@pytest.fixture
def services(compose):
    return compose["services"]


def test_the_image_runs_as_a_user_who_is_not_root(dockerfile):
    [user] = [value for name, value in last_stage(dockerfile) if name == "USER"]

    assert int(user) > 0


def test_the_image_says_whether_it_is_alive(dockerfile):
    [check] = [value for name, value in last_stage(dockerfile) if name == "HEALTHCHECK"]

    assert "/health/live" in check
    assert 'CMD ["python"' in check


def test_the_image_is_built_in_stages_from_locked_packages(dockerfile):
    installs = [value for name, value in dockerfile if name == "RUN" and "pip install" in value]

    assert len([name for name, _ in dockerfile if name == "FROM"]) == 2
    assert not [value for name, value in last_stage(dockerfile) if "pip install" in value]
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_the_image_copies_only_what_is_there_and_not_ignored(dockerfile):
    copies = [
        value.split() for name, value in dockerfile if name == "COPY" and "--from" not in value
    ]
    sources = {source for *named, _ in copies for source in named}
    allowed = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}

    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert sources == allowed


def test_every_image_has_a_version_and_ours_is_that_of_the_program(dockerfile, services):
    bases = [value.split()[0] for name, value in dockerfile if name == "FROM"]
    images = {service["image"] for service in services.values()}

    assert [image for image in [*bases, *images] if not re.search(r":v?\d+\.?\d", image)] == []
    assert {services[name]["image"] for name in OURS} == {f"oidc-server:{__version__}"}
    assert {services[name]["build"] for name in OURS} == {"."}


def test_what_containers_run_is_a_command_of_ours_with_its_options(dockerfile, services):
    [entrypoint] = [json.loads(value) for name, value in dockerfile if name == "ENTRYPOINT"]
    [command] = [json.loads(value) for name, value in dockerfile if name == "CMD"]
    [user] = [value for name, value in last_stage(dockerfile) if name == "USER"]

    assert entrypoint == list(tomllib.loads(read("pyproject.toml"))["project"]["scripts"])
    assert understood(command) == "serve"
    assert understood(services["migrate"]["command"]) == "upgrade"
    assert not [name for name in NODES if "command" in services[name]]
    assert all(f"uid={user}" in services[name]["tmpfs"][1] for name in OURS)


def test_no_container_can_change_itself_or_gain_anything(services):
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid"}, name
        assert name in OURS or service["user"] not in ("root", "0"), name  # ours is in the image


def test_the_compose_file_holds_no_secret(compose, services):
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|DATABASE_URL", name):
                assert name.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]

    assert all(secret["file"].startswith("data/") for secret in compose["secrets"].values())
    assert "data" not in read(".dockerignore")


def test_every_file_is_there_or_made_by_make(compose, services):
    made = re.findall(r"^\$\(SECRETS\)/(\w+):", read("Makefile"), re.MULTILINE)
    mounts = [mount for service in services.values() for mount in service.get("volumes", ())]
    volumes = [mount for mount in mounts if not mount.startswith("./")]

    assert {secret["file"] for secret in compose["secrets"].values()} == {
        f"data/secrets/{name}" for name in made
    }
    for mount in set(mounts) - set(volumes):
        file, _, options = mount.partition(":")
        assert (ROOT / file).is_file(), mount
        assert options.endswith(":ro"), mount
    assert {volume.partition(":")[0] for volume in volumes} == compose["volumes"].keys()


def test_the_server_takes_the_settings_and_finds_the_other_services(services, tmp_path):
    (tmp_path / "secret_key").write_text("x" * 64)
    (tmp_path / "database_url").write_text("postgresql://oidc:x@postgres/oidc")

    for name in OURS:
        stated = services[name]["environment"]
        settings = load(
            {key: value.replace("/run/secrets", str(tmp_path)) for key, value in stated.items()},
            None,
        )
        assert {f"{stated[one]}" for one in stated if one.endswith("_FILE")} == {
            f"/run/secrets/{secret}" for secret in services[name]["secrets"]
        }
        assert settings.redis_url is not None
        assert urlsplit(settings.redis_url.get_secret_value()).hostname in services
        assert settings.smtp_server is not None
        assert settings.smtp_server.host in services
        assert [str(network) for network in settings.trusted_proxies] == [
            f"{address_of(services['gateway'])}/32"
        ]
        ends_in = settings.drain_time + settings.shutdown_grace + timedelta(seconds=10)
        grace = services[name].get("stop_grace_period", "25s").removesuffix("s")
        assert timedelta(seconds=int(grace)) >= ends_in
    assert services["node-1"]["environment"] == services["node-2"]["environment"]


def test_migrations_wait_for_the_database_and_nodes_for_migrations(services):
    migrate, healthy = services["migrate"], {"condition": "service_healthy"}

    assert migrate["depends_on"] == {"postgres": healthy}
    assert migrate["restart"] == "no"  # it fails once, and `make up` with it
    for name in NODES:
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": healthy,
            "redis": healthy,
        }
    assert services["gateway"]["depends_on"] == dict.fromkeys(NODES, healthy)


def test_whoever_runs_on_says_whether_it_is_well(services):
    for name, service in services.items():
        if name != "migrate":
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] == "CMD", name
            seconds = service["healthcheck"]["timeout"].removesuffix("s")
            assert int(seconds) <= 5, name

    # By its socket PostgreSQL would answer while its image still makes the database.
    assert "--host=127.0.0.1" in services["postgres"]["healthcheck"]["test"]
    asked = (
        "".join(services["node-1"]["healthcheck"]["test"])
        + services["gateway"]["healthcheck"]["test"][-1]
    )
    known = {route.path for route in ROUTES}
    assert {urlsplit(url).path for url in re.findall(r"http://[^' ]+", asked)} <= known


def test_only_gateway_and_mails_are_open_and_on_this_machine_only(services):
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert ports.keys() == {"gateway", "mail"}
    for name, [port] in ports.items():
        assert port.startswith("127.0.0.1:"), name
    assert ports["gateway"] == [f"127.0.0.1:8000:{nginx_values('listen')[0]}"]
    assert urlsplit(services["node-1"]["environment"]["OIDC_ISSUER"]).port == 8000


def test_the_database_and_the_counts_are_where_only_nodes_are(compose, services):
    members = {
        network: {name for name, service in services.items() if network in service["networks"]}
        for network in compose["networks"]
    }

    assert members == {
        "front": {"gateway", "mail", *NODES},
        "back": {"postgres", "redis", *OURS},
    }
    assert compose["networks"]["back"]["internal"] is True
    [where] = compose["networks"]["front"]["ipam"]["config"]
    for name in ("gateway", *NODES):
        assert ip_address(address_of(services[name])) in ip_network(where["subnet"])


def test_nginx_finds_both_nodes_whether_they_are_there_or_not(services):
    nodes = [value.split()[0] for value in nginx_values("server") if not value.startswith("{")]

    assert nodes == [f"{name}:8000" for name in NODES]
    assert services["gateway"]["extra_hosts"] == [
        f"{name}:{address_of(services[name])}" for name in NODES
    ]


def test_the_files_say_that_they_are_only_read_here():
    for name in ("Dockerfile", "docker-compose.yml"):
        assert "tests/project/test_containers.py reads it only" in read(name)


def last_stage(instructions):
    starts = [index for index, (name, _) in enumerate(instructions) if name == "FROM"]
    return instructions[starts[-1] :]


def understood(words):
    """The name of the command that the words begin; fails for an option that it does not have."""
    command: Any = typer.main.get_group(application)
    rest = list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    command.make_context(command.name, rest)
    return command.name
