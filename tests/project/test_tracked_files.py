"""The repository belongs to no machine: it names no folder of one, nor where packages come from."""

import re

from tests.project.repository import read, tracked_files

REGISTRY = re.compile(
    r"\b(pypi|pythonhosted|npmjs|deb\.debian|security\.debian|ghcr|quay)\.(org|com|io)\b"
)
MACHINE_PATH = re.compile(r"(?<![\w.}*/-])/(home|root|Users|work|tmp|mnt)/[\w.-]+")
NOT_TEXT = {".png", ".webp", ".jpg", ".ico", ".woff2", ".mo", ".gz"}
VENDORED = "static/vendor"  # as others published it
SECRET = {".key", ".pem", ".p12", ".db", ".env"}
TOP = {
    *("oidc_server", "templates", "static", "migrations", "tests"),
    *("docs", "benchmarks", "examples", "containers"),
    *("pyproject.toml", "requirements.lock", "requirements-dev.lock", "Makefile"),
    *("Dockerfile", "docker-compose.yml"),
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
}


def test_no_file_names_a_package_registry():
    assert lines_with(REGISTRY) == []


def test_no_file_names_a_folder_of_a_machine():
    assert lines_with(MACHINE_PATH) == []


def test_the_patterns_find_what_they_look_for():
    assert REGISTRY.search("https://files.pythonhosted" + ".org/packages")
    assert MACHINE_PATH.search("cd /" + "home/ann/oidc_server")
    assert not MACHINE_PATH.search("https://example.com/home/page, ./tmp/x, {root}/tmp/x")


def test_every_text_file_ends_with_one_line_break():
    ends = {path: text[-2:] for path, text in texts() if text}

    assert [str(path) for path, end in ends.items() if end[-1] != "\n" or end == "\n\n"] == []


def test_no_secret_and_no_data_is_tracked():
    assert [path for path in tracked_files() if path.suffix in SECRET or path.name == ".env"] == []
    assert {".env", "/data/", ".venv/"} <= set(read(".gitignore").splitlines())


def test_nothing_lies_at_the_top_that_has_no_place_there():
    names = {path.parts[0] for path in tracked_files()}

    assert {name for name in names if not name.startswith(".")} - TOP == set()


def texts():
    return [
        (path, read(path))
        for path in tracked_files()
        if path.suffix not in NOT_TEXT and not path.is_relative_to(VENDORED)
    ]


def lines_with(pattern):
    return [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
