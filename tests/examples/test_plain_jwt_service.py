"""Every curl line in docs/plain-jwt-service.md does what it says, one after the other."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import count as count_from
from pathlib import Path
from typing import Any

import pytest

from tests.examples.running import ROOT, Place, running_place
from tests.services import run
from tests.services.smtp import MailServer

pytestmark = pytest.mark.slow

TEXT = (ROOT / "docs" / "plain-jwt-service.md").read_text()
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_KEPT = re.compile(r"`(\w+)` as\s+`([A-Z_]+)`")
_ROW = re.compile(r"^\|.*\[\d+\]\(#([^)]*)\) \|$", re.MULTILINE)


@dataclass
class Reader:
    """Somebody who does what the page says, in its order."""

    place: Place
    variables: dict[str, str]
    answers: list[Any] = field(default_factory=list)

    def follow(self, part: str) -> None:
        """Run the lines of a part, and keep what it says is to be kept."""
        for line in _BLOCK.findall(part):
            if not line.startswith("curl"):
                continue
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", line],
                cwd=self.place.folder,
                env={**run.clean_environment(), **self.variables},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            answer = json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout
            self.answers.append(answer)
            for member, variable in _KEPT.findall(part):
                if isinstance(answer, dict) and member in answer:
                    self.variables[variable] = answer[member]


@pytest.fixture
def reader(tmp_path: Path, smtp: MailServer) -> Iterator[Reader]:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    mail = f"smtp://{smtp.host}:{smtp.port}"
    with running_place(tmp_path, OIDC_SMTP_URL=mail) as place:
        yield Reader(place, {"ISSUER": place.issuer})


def parts() -> dict[str, str]:
    """The text below each heading, by what a link calls the heading."""
    found = re.split(r"^## (.*)$", TEXT, flags=re.MULTILINE)[1:]
    return {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-"): text
        for title, text in zip(found[::2], found[1::2], strict=True)
    }


def test_every_row_of_the_table_has_its_line() -> None:
    rows = _ROW.findall(TEXT)

    assert len(rows) == 14
    assert [row for row in rows if "curl -f" not in parts()[row]] == []


def test_every_line_works_in_the_order_of_the_page(reader: Reader, smtp: MailServer) -> None:
    text = parts()
    for variable, line in zip(
        ("APP", "SERVICE"),
        re.findall(r"oidc-server (clients add .*?) --json", TEXT, re.DOTALL),
        strict=True,
    ):
        arguments = re.findall(r'"([^"]*)"|([^\s"\\]+)', line)
        made = reader.place.command(*(quoted or plain for quoted, plain in arguments))
        reader.variables[variable] = f"{made['client_id']}:{made['client_secret']}"

    for part in text.values():
        if any("$LINK" in line for line in _BLOCK.findall(part)):
            reader.variables["LINK"] = link_for(part, smtp)
        reader.follow(part)

    told = {
        name: answer for answer in reader.answers if isinstance(answer, dict) for name in answer
    }
    assert told["nickname"]["id"] == reader.variables["USER_ID"]
    assert told["active"]["active"] is True
    [ann] = told["users"]["users"]
    assert (ann["email_verified"], ann["nickname"]) == (True, "Annie")


def link_for(part: str, smtp: MailServer) -> str:
    """What stands behind `link=` in the mail that the line needs."""
    page = "verify-email" if "email-verification" in part else "password-reset"
    link = re.compile(rf"/{page}[^ ]*link=([^ ]+)")
    for count in count_from(1):
        found = link.search(" ".join(text_of(mail) for mail in smtp.wait_for(count)))
        if found is not None:
            return found[1]
    raise AssertionError("unreachable")


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())
