"""`oidc-server export` and `import`: people and applications go elsewhere as they are."""

import json
from pathlib import Path

import pytest

from tests.authentication.forms import new_browser
from tests.relying_party import RelyingParty
from tests.services.databases import sqlite_url
from tests.transfer.conftest import live, site_on

pytestmark = pytest.mark.slow


def test_who_is_exported_with_their_password_signs_in_elsewhere_as_who_they_were(
    command, fresh_database_url, tmp_path
):
    (tmp_path / "first").mkdir()
    first = sqlite_url(tmp_path / "first")
    with site_on(first, tmp_path / "data") as site:
        life = live(site)
    assert command(first, "roles", "add", "helper", "--scope", "users:read").status == 0

    told = command(first, "export", "all.jsonl", "--with-password-hashes", "--json")
    once = command(fresh_database_url, "import", "all.jsonl", "--json")
    again = command(fresh_database_url, "import", "all.jsonl", "--json")

    assert told.status == once.status == again.status == 0, once.stderr
    assert Path("all.jsonl").stat().st_mode & 0o777 == 0o600
    assert (again.json["added"], again.json["unchanged"]) == (0, told.json["lines"])
    with site_on(fresh_database_url, tmp_path / "data") as site:
        party = RelyingParty(site, life.app)
        tokens = party.redeem(party.authorize(new_browser(site), life.person).code).json()
        assert party.userinfo(tokens["access_token"]).json()["sub"] == life.person.id
    assert "server.imported" in command(fresh_database_url, "audit", "list").stdout


def test_a_line_that_is_wrong_or_differs_is_named_and_nothing_is_taken_in(
    command, fresh_database_url, tmp_path
):
    (tmp_path / "first").mkdir()
    first = sqlite_url(tmp_path / "first")
    with site_on(first, tmp_path / "data") as site:
        life = live(site)
    assert command(first, "export", "all.jsonl").status == 0
    again = command(first, "export", "all.jsonl")
    assert (again.status, again.stderr) == (1, "all.jsonl is there already; choose another name.\n")
    lines = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert not [line for line in lines if "password_hash" in line]
    assert command(fresh_database_url, "import", "all.jsonl").status == 0
    ann = next(line for line in lines if line["table"] == "users")
    app = {**next(line for line in lines if line["table"] == "clients"), "client_id": "other"}
    new = {"id": "019b0000-0000-7000-8000-000000000001"}

    other = {"username": "other", "canonical_username": "other", "email_verified_at": None}

    done = command(
        fresh_database_url,
        "import",
        "-",
        stdin="\n".join(
            json.dumps(line) if isinstance(line, dict) else line
            for line in (
                {**ann, **new, **other},
                {**ann, "name": "Somebody else"},
                {**ann, **new},
                {**ann, "favourite": "blue"},
                {**ann, "created_at": 7},
                {"table": "signing_keys"},
                "{",
                {**ann, **new, "created_at": "9999-12-31T23:59:59-10:00"},
                {**app, "revision": 2**70},
                {**app, "metadata": {}},
                {**app, "metadata": {**app["metadata"], "redirect_uris": 7}},
                {**app, "metadata": {**app["metadata"], "software_id": float("nan")}},
                {**app, "metadata": {**app["metadata"], "software_id": "\ud800"}},
            )
        ),
    )

    assert done.status == 1
    assert done.stderr.splitlines()[0] == "Nothing was imported."
    assert [line.partition(":")[0] for line in done.stderr.splitlines()[1:]] == [
        f"line {number}" for number in range(2, 14)
    ]
    assert f"users {life.person.id} is there with another name" in done.stderr
    assert "users have no favourite" in done.stderr
    listed = command(fresh_database_url, "users", "list", "--json").json
    assert [row["id"] for row in listed] == [life.person.id]


def test_an_id_in_capitals_is_the_same_id(command, fresh_database_url, tmp_path):
    (tmp_path / "first").mkdir()
    first = sqlite_url(tmp_path / "first")
    with site_on(first, tmp_path / "data") as site:
        life = live(site)
    assert command(first, "export", "all.jsonl").status == 0
    lines = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    ann = next(line for line in lines if line["table"] == "users")

    shouted = json.dumps({**ann, "id": ann["id"].upper()})
    taken = command(fresh_database_url, "import", "-", stdin=shouted)

    assert taken.status == 0
    shown = command(fresh_database_url, "users", "show", life.person.id, "--json")
    assert (shown.status, shown.json["id"]) == (0, life.person.id)
