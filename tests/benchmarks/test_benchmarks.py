"""The benchmarks measure the real thing, and stop by themselves."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from benchmarks import databases, floors, memory, process
from benchmarks.operations import measure
from tests.benchmarks.command import bench
from tests.services import postgres


@pytest.fixture
def server():
    """This process, taken for a server."""
    return process.Server(port=0, pid=os.getpid(), started_in=0.0)


def test_the_cost_of_an_operation_is_the_processor_time_it_takes(server):
    def spin():
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass

    busy, idle = measure(server, spin, 0.2), measure(server, lambda: time.sleep(0.02), 0.2)

    assert busy.cpu_ms >= 15
    assert idle.cpu_ms < 15
    assert idle.answer_ms >= 20


def test_an_operation_is_measured_for_a_limited_time(server):
    start = time.monotonic()

    cost = measure(server, lambda: time.sleep(0.001), 0.1)

    assert 5 <= cost.count <= 100
    assert time.monotonic() - start < 20


def test_the_memory_of_a_process_is_that_of_the_kernel(server):
    before = server.resident_megabytes()

    block = bytearray(b"x" * 50_000_000)

    assert 40 < server.resident_megabytes() - before < 60
    assert len(block) == 50_000_000


def test_memory_that_comes_back_is_steady_and_memory_that_does_not_rises():
    warming = [100.0, 130.0, 138.0, 140.0, 141.0]

    steady = memory.growth([*warming, 141.5, 141.0, 141.6, 141.1, 141.4])
    rising = memory.growth([*warming, 142.0, 143.0, 144.0, 145.0, 146.0])

    assert steady < memory.STEADY < rising
    assert rising == pytest.approx(1.0)


@pytest.mark.slow
def test_a_server_that_cannot_start_ends_the_run_with_its_words(tmp_path):
    with (
        pytest.raises(RuntimeError, match="OIDC_ISUER"),
        process.running(tmp_path, settings={"OIDC_ISUER": "https://id.example.com"}),
    ):
        pass


@pytest.mark.slow
def test_a_short_run_prints_every_figure():
    said = bench("--alone", "--seconds", "0.05", "--starts", "1", "--sign-ins", "2",
                  "--sqlite-only")  # fmt: skip

    for figure in (
        "empty data folder",
        "warm data folder",
        "one ES256 signature",
        "one Argon2id hash",
        "one SQLite insert and commit",
        "resident memory, nothing asked yet",
        "resident memory after 2 sign-ins",
        "discovery",
        "JWKS",
        "client_credentials",
        "refresh",
        "userinfo",
        "introspection",
        "sign-in with a live session",
    ):
        assert figure in said


@pytest.mark.slow
def test_memory_is_sampled_while_every_kind_of_request_is_answered():
    said = bench("--memory", "--operations", "40", "--sqlite-only")

    assert "after 4 operations" in said
    assert "after 40 operations" in said
    assert "goal: 160 MB" in said


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(not databases.can_start_postgres(), reason=postgres.MISSING)
def test_a_commit_of_each_database_is_a_floor():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # the user comes by who runs PostgreSQL in place of root
        found = floors.floors(folder, 0.01, sqlite_only=False)

    assert found["one SQLite insert and commit"] > 0
    assert found["one PostgreSQL insert and commit"] > 0


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(not databases.can_start_postgres(), reason=postgres.MISSING)
def test_two_populations_are_made_and_compared():
    said = bench("--growth", "--users", "200", "400", "--calls", "1")

    lines = [" ".join(line.split()) for line in said.splitlines()]
    for figure in (
        "200 users: credit_entries 1,995",
        "400 users: credit_entries 2,995",
        "400 users: grants 2,000",
        "400 users: refresh_tokens 2,000",
        "balance",
        "transactions of a long past, by cursor",
        "users, by cursor",
        "search by the beginning of an address",
        "one user, by id",
        "clients by the beginning of a name",
        "sessions, by cursor",
        "grants to one client",
        "client credentials",
        "silent sign-in",
        "introspection",
        "userinfo",
        "sign-in with a password",
        "sign-out",
    ):
        assert any(line.startswith(figure) for line in lines), figure
    [refresh] = [line for line in lines if line.startswith("refresh ")]
    assert all(float(cell) > 0 for cell in refresh.split()[1:9]), refresh
