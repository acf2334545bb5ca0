"""The documents lead where they say they lead, and name what the program has."""

import re
from pathlib import Path

import pytest

from oidc_server.settings import describe
from tests.project.repository import ROOT, read, tracked_files

_DOCUMENTS = [str(path) for path in tracked_files() if path.suffix == ".md"]
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_SETTING = re.compile(r"\bOIDC_[A-Z][A-Z_]*[A-Z]\b")


def anchors(document: str) -> set[str]:
    """What GitHub calls the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", read(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    for link in _LINK.findall(read(document)):
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(str(target.resolve().relative_to(ROOT))), link


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_every_setting_that_is_named_is_one(document: str) -> None:
    known = {row.name for row in describe()}
    known |= {f"{name}_FILE" for name in known}

    named = set(_SETTING.findall(read(document)))

    assert named - known == set()


def test_every_document_is_in_the_list() -> None:
    told = {Path("docs") / target for target in _LINK.findall(read("docs/README.md"))}
    told |= {path.parent for path in told if path.name == "README.md"}  # a folder with its own list

    there = {path for path in tracked_files("docs/") if path.suffix == ".md"}

    unlisted = {path for path in there if path not in told and path.parent not in told}
    assert unlisted == {Path("docs/README.md")}
