"""The documents lead where they say they lead, and name what the program has."""

import re
from pathlib import Path

import pytest
import yaml

from oidc_server.routes import ROUTES
from oidc_server.settings import describe
from tests.project.repository import ROOT, read, tracked_files

_DOCUMENTS = [str(path) for path in tracked_files() if path.suffix == ".md"]
_CONFIGURATIONS = [
    str(path) for path in tracked_files() if path.parts[0] in ("examples", "containers")
]
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


@pytest.mark.parametrize("document", [*_DOCUMENTS, *_CONFIGURATIONS])
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
    assert unlisted == {Path("docs/README.md")}, "give it a row in docs/README.md"


def test_the_contents_of_operations_name_every_section_in_order() -> None:
    text = read("docs/operations.md")
    contents = text.partition("\n## ")[0]

    listed = re.findall(r"\[([^\]]+)\]\(#[^)]+\)", contents)

    assert listed == re.findall(r"^## (.+)$", text, re.MULTILINE)


def test_what_the_checklist_asks_of_doctor_is_what_doctor_tells() -> None:
    asked = set(re.findall(r"`doctor`: `([^`]+)`", read("docs/operations.md")))
    sources = [*tracked_files("oidc_server/cli/doctor/"), Path("oidc_server/health/checks.py")]

    told = set(re.findall(r"""["']([a-zA-Z ]+)["']""", "".join(map(read, sources))))

    assert len(asked) > 10
    assert asked <= told


def test_the_manifests_ask_for_health_where_it_is_told() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", read("docs/operations.md"), re.DOTALL)
    manifests = [part for block in blocks for part in yaml.safe_load_all(block)]
    [deployment] = [part for part in manifests if part["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    [server] = pod["containers"]

    probes = {
        server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")
    }

    assert probes == {"/health/startup", "/health/live", "/health/ready"}
    assert probes <= {route.path for route in ROUTES}
    assert {mount["name"] for mount in server["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }
