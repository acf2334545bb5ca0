"""The benchmarks measure the real thing, and stop by themselves."""

import os
import subprocess
import sys
import time

import pytest

from benchmarks import databases, process
from benchmarks.operations import measure
from tests.project.repository import ROOT
from tests.services import postgres, run


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

    cost = measure(server, lambda: None, 0.1)

    assert cost.count > 100
    assert time.monotonic() - start < 5


def test_the_memory_of_a_process_is_that_of_the_kernel(server):
    before = server.resident_megabytes()

    block = bytearray(b"x" * 50_000_000)

    assert 40 < server.resident_megabytes() - before < 60
    assert len(block) == 50_000_000


@pytest.mark.slow
def test_a_server_that_cannot_start_ends_the_run_with_its_words(tmp_path):
    with (
        pytest.raises(RuntimeError, match="OIDC_ISUER"),
        process.running(tmp_path, settings={"OIDC_ISUER": "https://id.example.com"}),
    ):
        pass


@pytest.mark.slow
def test_a_short_run_prints_every_figure():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--alone", "--seconds", "0.05", "--starts", "1",
         "--sign-ins", "2", "--sqlite-only"],
        cwd=ROOT,
        env=run.clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    for figure in (
        "empty data folder",
        "warm data folder",
        "one ES256 signature",
        "one Argon2id hash",
        "one SQLite insert and commit",
        "resident memory after 2 sign-ins",
        "discovery",
        "JWKS",
        "client_credentials",
        "refresh",
        "userinfo",
        "introspection",
        "sign-in with a live session",
    ):
        assert figure in done.stdout


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(not databases.is_postgres_there(), reason=postgres.MISSING)
def test_two_populations_are_made_and_compared():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--growth", "--users", "1000", "2000", "--calls", "2"],
        cwd=ROOT,
        env=run.clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for figure in (
        "5,995 entries",
        "10,995 entries",
        "balance",
        "transactions of a long past, by cursor",
        "users, by cursor",
        "search by the beginning of an address",
        "one user, by id",
        "clients by the beginning of a name",
        "sessions, by cursor",
        "grants to one client",
    ):
        assert figure in done.stdout
