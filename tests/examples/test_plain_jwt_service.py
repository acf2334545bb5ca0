"""Every curl line in docs/plain-jwt-service.md does what it says, one after the other."""

import re
import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import count as count_from
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.examples.reading import Reader, lines_of, page, parts
from tests.examples.running import running_place
from tests.services.smtp import MailServer

pytestmark = pytest.mark.slow

TEXT = page("plain-jwt-service.md")
_ROW = re.compile(r"^\|.*\[\d+\]\(#([^)]*)\) \|$", re.MULTILINE)


@pytest.fixture
def reader(tmp_path: Path, smtp: MailServer) -> Iterator[Reader]:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    mail = f"smtp://{smtp.host}:{smtp.port}"
    with running_place(tmp_path, OIDC_SMTP_URL=mail) as place:
        yield Reader(place, {"ISSUER": place.issuer})


def test_every_row_of_the_table_has_its_line() -> None:
    rows = _ROW.findall(TEXT)

    assert len(rows) == 15
    assert [row for row in rows if "curl -f" not in parts(TEXT)[row]] == []


def test_every_line_works_in_the_order_of_the_page(reader: Reader, smtp: MailServer) -> None:
    reader.register(TEXT, "APP", "SERVICE")

    for part in parts(TEXT).values():
        if any("$LINK" in line for line in lines_of(part)):
            reader.variables["LINK"] = link_for(part, smtp)
        reader.follow(part)

    told: dict[str, Any] = {
        name: answer for answer in reader.answers if isinstance(answer, dict) for name in answer
    }
    assert told["nickname"]["id"] == reader.variables["USER_ID"]
    assert told["active"]["active"] is True
    assert {"admin", "moderator", "user"} <= {role["name"] for role in told["roles"]["roles"]}
    verify_as_the_page_does({**reader.variables, "ID_TOKEN": told["id_token"]["id_token"]})
    [ann] = told["users"]["users"]
    assert (ann["email_verified"], ann["nickname"]) == (True, "Annie")


def verify_as_the_page_does(variables: dict[str, str]) -> None:
    """Run its Python on a token for the API, and on one for the server, which is none for it."""
    [code] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    page: dict[str, Any] = {}
    exec(code.replace("http://localhost:8000", variables["ISSUER"]), page)  # noqa: S102 - ours

    claims = page["claims_of"](variables["API_TOKEN"])

    assert (claims["sub"], claims["scope"]) == (variables["USER_ID"], "orders:read")
    with pytest.raises(jwt.InvalidAudienceError):
        page["claims_of"](variables["TOKEN"])
    with pytest.raises(jwt.InvalidTokenError, match="no access token"):
        page["claims_of"](variables["ID_TOKEN"])


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
