"""The database goes away and comes back while the server runs."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from oidc_server.database import DatabaseUnavailableError
from oidc_server.domain import signing_keys
from oidc_server.domain.signing_keys.ring import REMEMBERED_FOR
from oidc_server.domain.signing_keys.rotation import RELOAD_AFTER
from oidc_server.security.jose import ALGORITHMS
from tests import site
from tests.faults.recovery import (
    assert_no_bug_was_logged,
    assert_told_to_come_back,
    wait_until_ready,
)
from tests.relying_party import RelyingParty
from tests.services import postgres
from tests.services.deployment import Deployment, deployed
from tests.services.postgres import PostgresServer
from tests.waiting import wait_for

pytestmark = [pytest.mark.race, pytest.mark.slow]
LONG = "public, max-age=900"


@pytest.mark.postgres
def test_the_server_outlives_a_restart_of_postgresql(
    private_postgres: tuple[Path, PostgresServer], tmp_path: Path
) -> None:
    place, server = private_postgres
    with deployed(tmp_path, server.create_database()) as deployment:
        party = RelyingParty(deployment, deployment.make_client())
        person, browser = deployment.make_user(), deployment.browser()
        tokens = party.redeem(party.authorize(browser, person).code).json()

        postgres.stop(place)
        answers = [request() for request in requests_of(deployment, party, tokens) * 4]
        health = [deployment.http.get(f"/health/{name}").status_code for name in ("live", "ready")]
        postgres.resume(place)

        for answer in answers:
            assert_told_to_come_back(answer)
        assert health == [200, 503]
        wait_until_ready(deployment)
        for _ in range(8):  # every thread of either worker
            assert party.userinfo(tokens["access_token"]).status_code == 200
        tokens = party.refresh(tokens["refresh_token"]).json()
        assert party.userinfo(tokens["access_token"]).status_code == 200
        assert party.redeem(party.authorize(browser, person).code).status_code == 200
        assert_no_bug_was_logged(deployment)


@pytest.mark.postgres
def test_requests_that_postgresql_fails_in_the_middle_of_are_told_to_come_back(
    private_postgres: tuple[Path, PostgresServer], tmp_path: Path
) -> None:
    place, server = private_postgres
    with deployed(tmp_path, server.create_database()) as deployment:
        party = RelyingParty(deployment, deployment.make_client())
        token = party.redeem(
            party.authorize(deployment.browser(), deployment.make_user()).code
        ).json()["access_token"]
        end = time.monotonic() + 3

        with ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(ask_until, deployment, token, end) for _ in range(8)]
            time.sleep(0.5)
            postgres.stop(place)
            time.sleep(0.5)
            postgres.resume(place)
        answers = [answer for one in asked for answer in one.result()]

        assert {answer.status_code for answer in answers} == {200, 503}
        for answer in answers:
            if answer.status_code == 503:
                assert_told_to_come_back(answer)
        wait_until_ready(deployment)
        assert party.userinfo(token).status_code == 200
        assert_no_bug_was_logged(deployment)


def test_a_writer_that_keeps_sqlite_locked_causes_503_and_no_harm(
    deploy_sqlite: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = deploy_sqlite()
    party = RelyingParty(deployment, deployment.make_client())
    person, browser = deployment.make_user(), deployment.browser()
    tokens = party.redeem(party.authorize(browser, person).code).json()
    code = party.authorize(browser, person).code

    with ThreadPoolExecutor(20) as threads, locked(tmp_path / "oidc.db"):
        began = time.monotonic()
        writers = [threads.submit(party.redeem, code) for _ in range(20)]
        time.sleep(1)
        others = [timed(lambda: deployment.client().get("/health/live")) for _ in range(20)]
        read = party.userinfo(tokens["access_token"])
        live = deployment.http.get("/health/live")
        keys = deployment.http.get("/jwks.json")
        answers = [writer.result() for writer in writers]
        waited = time.monotonic() - began

    for refused in answers:
        assert_told_to_come_back(refused)
    assert waited < 20
    assert sorted(others)[10] < 3, others
    assert (read.status_code, live.status_code, keys.status_code) == (200, 200, 200)
    assert party.redeem(code).status_code == 200
    assert party.refresh(tokens["refresh_token"]).status_code == 200
    assert_no_bug_was_logged(deployment)


def test_a_short_lock_is_waited_for(
    deploy_sqlite: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = deploy_sqlite(database_timeout="30s")
    party = RelyingParty(deployment, deployment.make_client())
    code = party.authorize(deployment.browser(), deployment.make_user()).code

    with ThreadPoolExecutor(1) as threads:
        with locked(tmp_path / "oidc.db"):
            answer = threads.submit(party.redeem, code)
            time.sleep(1)
        assert answer.result().status_code == 200


@pytest.mark.postgres
def test_a_postgresql_that_hangs_is_given_up_and_taken_again(
    private_postgres: tuple[Path, PostgresServer], tmp_path: Path
) -> None:
    place, server = private_postgres
    url = server.create_database()
    with deployed(tmp_path, url, workers=1, database_timeout="5s") as deployment:
        party = RelyingParty(deployment, deployment.make_client())
        person, browser = deployment.make_user(), deployment.browser()
        tokens = party.redeem(party.authorize(browser, person).code).json()
        ask = requests_of(deployment, party, tokens)
        known = deployment.http.get("/jwks.json")

        with frozen(place), ThreadPoolExecutor(20) as threads:
            asked = [threads.submit(timed_answer, ask[turn % len(ask)]) for turn in range(20)]
            time.sleep(0.5)
            live = timed(lambda: deployment.client().get("/health/live"))
            first = [one.result() for one in asked]
            after = [timed_answer(ask[0]) for _ in range(10)]
            meanwhile = deployment.http.get("/jwks.json")

        for answer, _ in first + after:
            assert_told_to_come_back(answer)
        assert max(seconds for _, seconds in first) < 3 * 5
        assert live < 4
        assert_goes_on(meanwhile, known)
        assert sorted(seconds for _, seconds in after)[5] < 3
        wait_until_ready(deployment)
        for _ in range(8):
            assert party.userinfo(tokens["access_token"]).status_code == 200
        assert party.refresh(tokens["refresh_token"]).status_code == 200
        assert_no_bug_was_logged(deployment)
        assert "circuit breaker opened" in deployment.server.logs()


@pytest.mark.postgres
def test_the_keys_that_a_process_knows_are_told_on_and_tokens_are_not_taken(
    private_postgres: tuple[Path, PostgresServer], tmp_path: Path
) -> None:
    place, server = private_postgres
    with deployed(tmp_path, server.create_database(), workers=1) as deployment:
        party = RelyingParty(deployment, deployment.make_client())
        tokens = party.redeem(
            party.authorize(deployment.browser(), deployment.make_user()).code
        ).json()
        known = deployment.http.get("/jwks.json")

        postgres.stop(place)
        wait_for(lambda: deployment.http.get("/jwks.json").headers["cache-control"] != LONG)
        meanwhile = deployment.http.get("/jwks.json")
        refused = party.userinfo(tokens["access_token"])
        postgres.resume(place)

        assert_goes_on(meanwhile, known)
        assert_told_to_come_back(refused)
        wait_until_ready(deployment)
        assert deployment.http.get("/jwks.json").headers["cache-control"] == LONG
        assert_no_bug_was_logged(deployment)


@pytest.mark.postgres
def test_what_is_told_of_keys_in_an_outage_keeps_to_their_times_and_ends(
    private_postgres: tuple[Path, PostgresServer], tmp_path: Path
) -> None:
    place, server = private_postgres
    settings = site.settings_for(server.create_database(), tmp_path)
    with site.running_site(settings) as here, site.running_site(settings) as late:
        before = kids(here)
        fresh = signing_keys.generate(ALGORITHMS)
        revoked = next(iter(before))
        with here.db() as db:
            vault, now = here.runtime.vault, here.clock.now
            done = signing_keys.revoke(db, vault, revoked, fresh, now)
        assert done is not None
        assert done.rotation is not None
        here.clock.advance(RELOAD_AFTER)
        assert kids(here) == before

        postgres.stop(place)
        never_read = late.http.get("/jwks.json")
        here.clock.now += RELOAD_AFTER
        just_before = kids(here)
        here.clock.now = done.takes_effect_at
        afterwards = kids(here)
        here.clock.now += REMEMBERED_FOR
        in_the_end = here.http.get("/jwks.json")

        assert_told_to_come_back(never_read)
        assert just_before == before
        assert afterwards == before - {revoked} | set(done.rotation.new)
        assert_told_to_come_back(in_the_end)


@pytest.mark.postgres
def test_a_statement_that_nobody_waits_for_any_more_ends_in_postgresql_too(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.create_database()
    settings = site.settings_for(url, tmp_path, database_timeout=timedelta(seconds=1))
    with site.running_site(settings) as here:
        database = here.runtime.database
        began = time.monotonic()

        with pytest.raises(DatabaseUnavailableError), database.transaction("read") as db:
            db.session.execute(text("SELECT pg_sleep(20)"))

        assert time.monotonic() - began < 10
    postgres.drop_database(url)


def kids(here: site.Site) -> set[str]:
    return {key["kid"] for key in here.http.get("/jwks.json").json()["keys"]}


def assert_goes_on(meanwhile: httpx2.Response, known: httpx2.Response) -> None:
    """The same keys, to be kept for a minute; and scripts of every origin may still ask."""
    assert (meanwhile.status_code, meanwhile.json()) == (200, known.json())
    assert known.headers["cache-control"] == LONG
    assert meanwhile.headers["cache-control"] == "public, max-age=60"
    assert meanwhile.headers["access-control-allow-origin"] == "*"


def timed(ask: Callable[[], httpx2.Response]) -> float:
    return timed_answer(ask)[1]


def timed_answer(ask: Callable[[], httpx2.Response]) -> tuple[httpx2.Response, float]:
    began = time.monotonic()
    return ask(), time.monotonic() - began


@contextmanager
def frozen(place: Path) -> Iterator[None]:
    """Stop every process of a PostgreSQL where it stands, as a machine that hangs would."""
    parent = int((place / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    stopped = [parent, *map(int, children)]
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the write lock of a SQLite database, as another program may."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def requests_of(
    deployment: Deployment, party: RelyingParty, tokens: dict[str, str]
) -> list[Callable[[], httpx2.Response]]:
    """One request of every kind that needs the database."""
    return [
        lambda: party.userinfo(tokens["access_token"]),
        lambda: party.refresh(tokens["refresh_token"]),
        lambda: party.post("/introspect", token=tokens["access_token"]),
        lambda: party.post("/revoke", token="anything"),
        lambda: deployment.http.get(party.url()),
    ]


def ask_until(deployment: Deployment, access_token: str, end: float) -> list[httpx2.Response]:
    answers = []
    with httpx2.Client(base_url=deployment.server.base_url, timeout=30) as client:
        while time.monotonic() < end:
            answers.append(
                client.get("/userinfo", headers={"authorization": f"Bearer {access_token}"})
            )
    return answers
