"""What is installed is what was locked, wherever it is fetched from."""

import json
import re
import tomllib

import pytest

from tests.project.repository import read

LOCKS = ("requirements.lock", "requirements-dev.lock")
ENTRY = re.compile(
    r"(?P<name>[a-z0-9._-]+)(\[[a-z,]+\])?==(?P<version>\S+)( ; [^\\\n]+)? \\\n"
    r"( +--hash=sha256:[0-9a-f]{64} \\\n)*"
    r" +--hash=sha256:[0-9a-f]{64}\n"
)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_versions_with_hashes_and_nothing_else(lock):
    text = read(lock)

    rest = ENTRY.sub("", text)

    assert rest == ""
    assert "://" not in text


def test_the_lock_files_name_all_that_the_project_depends_on():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]

    assert names(project["dependencies"] + extras["build"]) <= versions("requirements.lock").keys()
    assert names(extras["dev"]) <= versions("requirements-dev.lock").keys()


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_what_was_locked_is_installed_without_looking_for_anything_newer(file):
    """An older pip asks for hashes of a version that came out after the lock was written."""
    installs = [line for line in read(file).splitlines() if "--require-hashes" in line]

    assert installs
    assert [line for line in installs if "--no-deps" not in line] == []


def test_development_runs_what_the_server_runs():
    running, developing = map(versions, LOCKS)

    assert {name: developing.get(name) for name in running} == running


def test_the_lock_file_of_npm_holds_hashes_and_no_address():
    lock = json.loads(read("tests/js/package-lock.json"))

    packages = {name: package for name, package in lock["packages"].items() if name}

    assert packages
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def versions(lock):
    return {match["name"]: match["version"] for match in ENTRY.finditer(read(lock))}


def names(requirements):
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in requirements}
