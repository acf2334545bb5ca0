"""The diagrams of `docs/flows/` can be drawn, and name what the program has."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from oidc_server import domain
from oidc_server.routes import ROUTES
from tests.project.repository import read, tracked_files

_FILES = [str(path) for path in tracked_files("docs/flows/") if path.name != "README.md"]
_BLOCK = re.compile(r"```mermaid\n(.*?)\n```", re.DOTALL)
_PARTICIPANT = re.compile(r"participant ([A-Z]) as \S.*")
_MESSAGE = re.compile(r"([A-Z])(->>|-->>)([A-Z]): (\S.*)")
_NOTE = re.compile(r"Note over ([A-Z])(?:,([A-Z]))?: (\S.*)")
_OPENS = re.compile(r"(?:alt|opt|loop) \S.*|par")
_GOES_ON = re.compile(r"else \S.*|and")
_REQUEST = re.compile(r"\b(GET|POST|PUT|DELETE) (/\S*)")
_PATH = re.compile(r"(?<![\w.:/*])/[a-z][\w./{}-]*")
_TABLES = re.compile(r"\b(?:INSERT|SELECT|UPDATE|DELETE) ([a-z_]+(?:, [a-z_]+)*)")
_BREAKS = re.compile(r"[;#]|\bend\b", re.IGNORECASE)
"""What Mermaid takes for the end of a message or of a block."""
_NOT_OURS = {"alembic_version"}
_ENDPOINTS: dict[str, Any] = {route.path: route.endpoint for route in ROUTES}
_METHODS = {path: set(endpoint.methods) for path, endpoint in _ENDPOINTS.items()}


def diagrams() -> Iterator[tuple[str, str]]:
    """Every diagram, with its file and its heading for a name."""
    for name in _FILES:
        for section in read(name).split("\n## ")[1:]:
            title = section.partition("\n")[0]
            found = _BLOCK.findall(section)
            assert len(found) == 1, f"{name}, {title}: one flow, one diagram"
            yield f"{name}: {title}", found[0]


_DIAGRAMS = dict(diagrams())


def test_every_file_is_in_the_list_of_flows() -> None:
    listed = re.findall(r"^\| \[(\S+)\]\((\S+)\) \|", read("docs/flows/README.md"), re.MULTILINE)

    assert [text for text, _ in listed] == [target for _, target in listed]
    assert {f"docs/flows/{target}" for _, target in listed} == set(_FILES)


@pytest.mark.parametrize("name", _DIAGRAMS)
def test_a_diagram_is_one_that_mermaid_reads(name: str) -> None:
    first, *lines = [line.strip() for line in _DIAGRAMS[name].splitlines()]
    declared: list[str] = []
    used: set[str] = set()
    open_blocks = 0

    assert first == "sequenceDiagram"
    for line in lines:
        if found := _PARTICIPANT.fullmatch(line):
            declared.append(found[1])
        elif found := _MESSAGE.fullmatch(line):
            used |= {found[1], found[3]}
            assert not _BREAKS.search(found[4]), line
        elif found := _NOTE.fullmatch(line):
            used |= {found[1], found[2] or found[1]}
            assert not _BREAKS.search(found[3]), line
        elif line == "end":
            open_blocks -= 1
        elif _OPENS.fullmatch(line):
            open_blocks += 1
        else:
            assert _GOES_ON.fullmatch(line), line
            assert open_blocks, line
        assert open_blocks >= 0, line

    assert open_blocks == 0
    assert len(declared) == len(set(declared))
    assert set(declared) == used


@pytest.mark.parametrize("name", _FILES)
def test_every_address_of_a_flow_is_one_of_the_server(name: str) -> None:
    text = read(name)

    assert {path for path in _PATH.findall(text) if path.rstrip(".,") not in _METHODS} == set()


@pytest.mark.parametrize("name", _DIAGRAMS)
def test_every_request_of_a_diagram_is_one_that_its_address_takes(name: str) -> None:
    asked = _REQUEST.findall(_DIAGRAMS[name])

    assert [(method, path) for method, path in asked if method not in _METHODS[path]] == []


@pytest.mark.parametrize("name", _DIAGRAMS)
def test_every_table_of_a_diagram_is_one_of_the_database(name: str) -> None:
    named = {table for found in _TABLES.findall(_DIAGRAMS[name]) for table in found.split(", ")}

    assert named - set(domain.Base.metadata.tables) - _NOT_OURS == set()
