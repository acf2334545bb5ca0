"""The image and the compose file, read without building or starting anything.

There was no container engine where they were written, so these checks are static: they find what
a reader would find, not what a start would.
"""

import re

import pytest
import yaml

from oidc_server.settings import describe
from tests.project.repository import ROOT, read

BUILT_HERE = "oidc-server"


@pytest.fixture
def dockerfile():
    """The instructions of the Dockerfile, as pairs."""
    lines = re.sub(r"\\\n", " ", read("Dockerfile")).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


@pytest.fixture
def compose():
    return yaml.safe_load(read("docker-compose.yml"))


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


def test_every_image_has_a_version(dockerfile, compose):
    bases = [value.split()[0] for name, value in dockerfile if name == "FROM"]
    images = [service["image"] for service in compose["services"].values()]

    assert [image for image in bases + images if not re.search(r":v?\d", image)] == []


def test_the_compose_file_holds_no_secret(compose):
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|DATABASE_URL", name):
                assert name.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]

    assert all(secret["file"].startswith("data/") for secret in compose["secrets"].values())
    assert "data" not in read(".dockerignore")


def test_the_compose_file_sets_only_what_the_server_knows(compose):
    known = {setting.name for setting in describe()}

    given = {name.removesuffix("_FILE") for name in compose["services"]["server"]["environment"]}

    assert given <= known


def test_ports_are_open_on_this_machine_only(compose):
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_services_need_only_what_is_defined(compose):
    services = compose["services"]

    for service in services.values():
        needed = set(service.get("depends_on", ()))
        assert needed <= services.keys()
        assert all("healthcheck" in services[name] for name in needed)
        assert set(service.get("secrets", ())) <= compose["secrets"].keys()
        named = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert named <= compose["volumes"].keys()


def test_the_files_say_that_they_are_only_read_here():
    for name in ("Dockerfile", "docker-compose.yml"):
        assert "tests/project/test_containers.py reads it only" in read(name)


def last_stage(instructions):
    starts = [index for index, (name, _) in enumerate(instructions) if name == "FROM"]
    return instructions[starts[-1] :]
