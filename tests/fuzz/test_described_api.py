"""Schemathesis reads the description of the API, and asks a running server whether it is true."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from oidc_server.oauth2.vocabulary import API_SCOPES
from tests.examples.running import PASSWORD, ROOT, Place, running_place
from tests.fuzz.conftest import SECONDS
from tests.services import run

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = ROOT / "tests" / "fuzz" / "schemathesis.toml"
SCOPE = " ".join(["openid", *sorted(API_SCOPES)])
USUALLY = 6
"""Seconds for each caller, unless `make fuzz` gives more."""


@dataclass(frozen=True)
class Described:
    """A running server, and clients that get tokens for whoever calls."""

    place: Place
    clients: dict[str, tuple[str, str]]

    def token_of(self, caller: str) -> str:
        """A new access token with every scope that this caller can have."""
        if caller == "service":
            fields = {"grant_type": "client_credentials"}
        else:
            fields = {"grant_type": "password", "username": caller, "password": PASSWORD}
        client = self.clients["service" if caller == "service" else "person"]
        url = f"{self.place.issuer}/token"
        answer = httpx2.post(url, data={**fields, "scope": SCOPE}, auth=client)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


@pytest.fixture
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """One for each caller: what some of them may do ends the accounts of others."""
    folder = tmp_path_factory.mktemp("place")
    with running_place(folder, OIDC_ACCESS_TOKEN_LIFETIME="1d") as place:
        place.add_user("person")
        root = ("--username", "administrator", "--email", "root@example.com", "--name", "Root")
        place.command(
            *("users", "add", *root, "--verified", "--admin", "--password-stdin"), send=PASSWORD
        )
        clients = {
            name: place.command(
                *("clients", "add", "--name", name, "--type", kind, "--scope", SCOPE), *more
            )
            for name, kind, more in (
                ("person", "web", ("--grant-type", "password")),
                ("service", "service", ()),
            )
        }
        pairs = {name: (made["client_id"], made["client_secret"]) for name, made in clients.items()}
        yield Described(place, pairs)


@pytest.mark.parametrize("caller", ["", "person", "service", "administrator"])
def test_the_server_does_what_its_description_says(
    described: Described, caller: str, tmp_path: Path
) -> None:
    place = described.place
    headers = ["--header", f"Authorization: Bearer {described.token_of(caller)}"] if caller else []

    done = subprocess.run(
        [PROGRAM, "--config-file", CONFIGURATION, "run", f"{place.issuer}/openapi.json",
         "--checks", "all", "--max-time", str(int(SECONDS) or USUALLY), "--warnings", "off",
         *([] if SECONDS else ["--seed", "1"]), *headers],
        cwd=tmp_path,
        env=run.clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "Traceback" not in place.server.logs()
