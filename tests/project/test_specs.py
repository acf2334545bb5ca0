"""The table of specifications is true, and nothing that an application meets is missing."""

import re

import orjson

from oidc_server.discovery import metadata
from oidc_server.routes import METADATA_ENDPOINTS, OPERATIONS, ROUTES
from oidc_server.token import GRANTS
from tests.project.repository import ROOT, read, tracked_files

_TABLE = (ROOT / "docs" / "specs.md").read_text()
_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in _TABLE.splitlines()
    if line.startswith(("| RFC", "| OpenID", "| Form", "| RP", "| Back", "| Front"))
]


def test_every_file_of_the_table_exists():
    paths = [
        ROOT / folder / path
        for row in _ROWS
        for folder, cell in (("oidc_server", row[2]), ("tests", row[3]))
        for path in re.findall(r"`([^`]+\.py)`", cell)
    ]

    assert len(paths) > len(_ROWS)
    assert [str(path.relative_to(ROOT)) for path in paths if not path.is_file()] == []


def test_every_record_that_is_named_is_there():
    named = {
        number: str(path)
        for path in tracked_files()
        if path.suffix in {".py", ".md"} and path.parts[0] in {"oidc_server", "docs"}
        for number in re.findall(r"\bADR (\d+)", read(path))
    }
    there = {path.name[:4] for path in tracked_files("docs/adr/")}

    assert {"0005", "0006", "0007"} <= named.keys()
    assert {number: path for number, path in named.items() if number not in there} == {}


def test_records_are_numbered_one_by_one():
    numbers = [int(path.name[:4]) for path in sorted(tracked_files("docs/adr/"))]

    assert numbers == list(range(1, len(numbers) + 1))


def test_every_record_is_a_page_with_the_same_three_parts():
    for path in tracked_files("docs/adr/"):
        text = read(path)
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]
        assert text.count("\n") < 60


def test_every_endpoint_of_the_metadata_has_a_row():
    assert [name for name in METADATA_ENDPOINTS if f"`{name}`" not in _TABLE] == []


def test_every_endpoint_of_the_metadata_is_a_route():
    names = {route.name for route in ROUTES}

    assert set(METADATA_ENDPOINTS.values()) <= names


def test_every_endpoint_for_programs_is_in_the_metadata():
    pages = re.compile(
        r"home|forward_auth|api_docs|language_choice|_registration\.configuration|setup|authentication|account|health|problems|discovery\.[op]|\.(resume|consent|verification|confirmation)$"
    )
    of_the_api = {operation.name for operation in OPERATIONS}
    machines = {route.name for route in ROUTES if not pages.search(route.name)} - of_the_api

    assert machines == set(METADATA_ENDPOINTS.values())


def test_the_metadata_lists_the_grants_that_are_there():
    document = orjson.loads(metadata.document("https://id.example.com", {}, ["a", "b"]))

    assert document["grant_types_supported"] == ["a", "b"]
    assert {grant.GRANT_TYPE for grant, _ in GRANTS} == {
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    }
