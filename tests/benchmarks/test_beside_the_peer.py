"""The comparison asks both servers for the same, and notices when one of them refuses."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import jwt
import pytest

from benchmarks.peer import ours, passwords, report, rounds, theirs, wrk
from benchmarks.peer.operations import OPERATIONS, Goal, Operation
from benchmarks.peer.profiles import parts
from benchmarks.peer.sides import Side
from benchmarks.trees import Tree
from oidc_server.security.passwords import PasswordHasher
from tests.benchmarks.command import bench
from tests.factories import Person
from tests.services.node import Node

pytestmark = pytest.mark.slow

BY_NAME = {operation.name: operation for operation in OPERATIONS}


class Both(NamedTuple):
    ours: Side
    peer: Side


@pytest.fixture(scope="module")
def both(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """This server on SQLite, and the peer."""
    del node  # it says whether the peer can run
    if not wrk.is_there():
        pytest.skip(wrk.MISSING)
    folder = tmp_path_factory.mktemp("benchmark")
    with (
        ours.running("SQLite", folder / "ours", 1, None, None) as own,
        theirs.running(folder / "peer.log") as peer,
    ):
        yield Both(own, peer)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_measured_on_both(both: Both, operation: Operation, tmp_path: Path) -> None:
    for side in both if operation.has_peer else both[:1]:
        measure = wrk.send(side, operation.plan(side), 1, tmp_path, steps=operation.steps)

        assert measure.per_second > 1
        assert 0 < measure.p50 <= measure.p99
        assert measure.peak_megabytes > 10


def test_both_sign_the_same_tokens_with_the_same_algorithms(both: Both) -> None:
    for side in both:
        for role, alg in (("web ES256", "ES256"), ("web RS256", "RS256")):
            [tokens] = side.tokens(role, 1)

            assert jwt.get_unverified_header(tokens["id_token"])["alg"] == alg, side.name
            assert jwt.get_unverified_header(tokens["access_token"])["alg"] == "ES256", side.name
            assert tokens["refresh_token"], side.name


@pytest.mark.parametrize(
    "name", ["client credentials, JWT against JWT", "refresh, ES256", "userinfo, against opaque"]
)
def test_a_run_whose_requests_are_refused_is_no_measurement(
    both: Both, name: str, tmp_path: Path
) -> None:
    plan = BY_NAME[name].plan(both.ours)
    wrong = replace(
        plan,
        requests=[replace(one, headers={}) for one in plan.requests],
        follow=plan.follow and replace(plan.follow, headers={}),
    )

    with pytest.raises(RuntimeError, match=r"SQLite: .*errors"):
        wrk.send(both.ours, wrong, 1, tmp_path)


def test_a_sign_in_that_ends_at_a_page_is_no_measurement(both: Both, tmp_path: Path) -> None:
    plan = BY_NAME["sign-in with a live session, ES256"].plan(both.ours)
    signed_out = replace(plan, requests=[replace(one, headers={}) for one in plan.requests])

    with pytest.raises(RuntimeError, match="/login"):
        wrk.send(both.ours, signed_out, 1, tmp_path, steps=2)


@pytest.mark.parametrize("door", passwords.DOORS, ids=lambda door: door.name)
def test_sign_ins_with_a_password_are_counted_and_token_requests_beside_them(
    both: Both, door: passwords.Door, tmp_path: Path
) -> None:
    tokens = BY_NAME["client credentials, JWT against JWT"].plan(both.ours)
    hasher = PasswordHasher(1, 8192, 1)

    flood = passwords.flood(both.ours, door, tokens, hasher, 1, tmp_path)

    assert flood.cpu_ms > 1
    assert flood.per_second > 1
    assert flood.raw_per_second > 1
    assert flood.quiet_p99 > 0
    assert flood.busy_p99 > 0


@pytest.mark.parametrize("door", passwords.DOORS, ids=lambda door: door.name)
def test_sign_ins_with_a_wrong_password_are_no_measurement(
    both: Both, door: passwords.Door, tmp_path: Path
) -> None:
    strangers = replace(both.ours, people=[Person("", "nobody", "nobody@example.com")])

    with pytest.raises(RuntimeError, match=r"SQLite: .*errors"):
        wrk.send(both.ours, door.plan(strangers), 1, tmp_path, steps=door.steps)


def test_the_time_of_children_counts_even_when_they_have_ended() -> None:
    spin = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}]); input()"
    with subprocess.Popen(
        [sys.executable, "-c", f"{parent}; print(1)"], stdin=subprocess.PIPE, text=True
    ) as process:
        tree = Tree(process.pid)
        while tree.cpu_seconds() < 0.3:
            assert process.poll() is None
        process.communicate("\n")


def test_a_goal_is_met_at_its_figure() -> None:
    goal = Goal(hold=0.45, aim=0.3)

    assert report.verdict(0.3, goal) == "met, aim reached"
    assert report.verdict(0.45, goal) == "met"
    assert report.verdict(0.46, goal) == "MISSED"
    assert report.verdict(9.0, None) == ""


def test_a_profile_gives_each_function_to_its_part() -> None:
    handler = ("/x/oidc_server/token/endpoint.py", 1, "token")
    shares = parts(
        {
            handler: (1, 1, 1.0, 4.0, {}),
            ("~", 0, "<method 'execute' of 'sqlite3.Cursor' objects>"): (
                (1, 1, 2.0, 2.0, {handler: (1, 1, 2.0, 2.0)})
            ),
            ("~", 0, "<built-in method builtins.len>"): (
                (1, 1, 1.0, 1.0, {handler: (1, 1, 1.0, 1.0)})
            ),
        }
    )

    assert shares == {"database": 50.0, "handlers": 50.0}


def test_one_command_prints_start_memory_costs_and_the_table(both: Both) -> None:
    del both  # both can run here

    table = bench("--only", "JWKS", "--seconds", "0.05", "--rounds", "1", "--quick",
                   "--sqlite-only", "--starts", "1", "--sign-ins", "2")  # fmt: skip

    assert "warm data folder" in table
    assert "resident memory after 2 sign-ins" in table
    assert table.count("one ES256 signature") == 1
    row = next(line for line in table.splitlines() if line.startswith("| JWKS | SQLite |"))
    assert "| 0.5 / 0.3 |" in row
    assert "an empty Starlette answer" in table
    assert rounds.missing() is None


def test_one_command_prints_where_the_time_goes(both: Both) -> None:
    del both

    profile = bench("--profile", "JWKS", "--seconds", "1")

    assert "| adapter |" in profile
    assert "| server |" in profile
