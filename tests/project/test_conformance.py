"""The table of certification names tests that are there, and every module that a test plays."""

import re

from tests.project.repository import ROOT, read, tracked_files

_PAGE = "docs/conformance.md"
_PLANS = read(_PAGE).partition("## A run")[0]
_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in _PLANS.splitlines()
    if line.startswith("| ") and not line.startswith(("| Module", "| ---"))
]


def test_every_test_of_the_table_exists():
    missing = [
        f"{path}::{name}"
        for row in _ROWS
        for path, name in re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", row[3])
        if not (ROOT / "tests" / path).is_file()
        or (name and f"def {name}(" not in read(f"tests/{path}"))
    ]

    assert len(_ROWS) > 80
    assert [row for row in _ROWS if len(row) != 4 or not all(row)] == []
    assert missing == []


def test_every_module_that_a_test_names_is_in_the_table():
    named = {
        module
        for path in tracked_files("tests/conformance/")
        if path.suffix == ".py"
        for module in re.findall(r"\b(?:oidcc|fapi2-security-profile-final)-([\w-]*\w)", read(path))
    }

    assert named - {row[0] for row in _ROWS} == set()
