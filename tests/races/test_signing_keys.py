"""Keys are replaced while every worker signs, and everybody verifies."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from oidc_server.security.jose import ALGORITHMS
from tests.browser import Browser
from tests.factories import App, Person
from tests.races.simultaneous import connections_to_each_worker
from tests.relying_party import RelyingParty
from tests.services.clock import SharedClock
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
SECOND = timedelta(seconds=1)
CACHED_FOR = timedelta(seconds=890)
"""A little less than the JWKS may be kept."""
WHILE_IT_HAPPENS = 2.5
"""Real seconds around an instant that is one second ahead."""


@dataclass
class Seen:
    """What those who verify and compare have found."""

    kids: list[set[str]] = field(default_factory=lambda: [set(), set()])
    """Keys that signed, by the worker that used them."""
    verified: int = 0
    compared: int = 0
    failures: list[str] = field(default_factory=list)
    cached: bytes | None = None
    """A JWKS that some application keeps."""


def fetch(worker: HTTPConnection) -> bytes:
    worker.request("GET", "/jwks.json")
    return worker.getresponse().read()


def ask(worker: HTTPConnection, app: App, path: str = "/token", **form: str) -> dict[str, Any]:
    secret = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
    headers = {
        "authorization": f"Basic {secret}",
        "content-type": "application/x-www-form-urlencoded",
    }
    worker.request("POST", path, urlencode(form), headers)
    answer = worker.getresponse()
    body: dict[str, Any] = json.loads(answer.read())
    assert answer.status == 200, body
    return body


def verify(token: str, jwks: bytes) -> str:
    """The `kid`; raises what PyJWT or the search for the key raises. The time is not ours."""
    header = jwt.get_unverified_header(token)
    key = jwt.PyJWKSet.from_dict(json.loads(jwks))[header["kid"]]
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    jwt.decode(token, key.key, algorithms=[key.algorithm_name], options=options)
    return str(header["kid"])


def use(
    number: int,
    worker: HTTPConnection,
    other: HTTPConnection,
    grants: Sequence[tuple[App, str]],
    seen: Seen,
    stop: Event,
) -> None:
    """Get tokens of every algorithm from one worker; verify them with what the other publishes."""
    refresh_tokens = dict(grants)
    while not stop.is_set():
        for app, presented in list(refresh_tokens.items()):
            tokens = ask(worker, app, grant_type="refresh_token", refresh_token=presented)
            refresh_tokens[app] = tokens["refresh_token"]
            for jwks in filter(None, (fetch(other), seen.cached)):
                for token in (tokens["id_token"], tokens["access_token"]):
                    try:
                        seen.kids[number].add(verify(token, jwks))
                        seen.verified += 1
                    except (jwt.PyJWTError, KeyError) as error:
                        seen.failures.append(f"worker {number}: {error!r}")
        time.sleep(0.1)  # the workers and the commands need the processors too


def compare(one: HTTPConnection, other: HTTPConnection, seen: Seen, stop: Event) -> None:
    """What one worker says between two answers of another is one of the two."""
    while not stop.is_set():
        before, between, after = fetch(one), fetch(other), fetch(one)
        seen.compared += 1
        if between not in (before, after):
            seen.failures.append(f"{between!r} is neither {before!r} nor {after!r}")
        time.sleep(0.02)


def guarded(seen: Seen, work: Callable[..., None], *arguments: Any) -> Thread:
    def run() -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 - a thread's error is a failure of the test
            seen.failures.append(f"{work.__name__}: {error!r}")

    thread = Thread(target=run)
    thread.start()
    return thread


@contextmanager
def everybody_at_work(deployment: Deployment) -> Iterator[Seen]:
    """Applications that verify what each worker signs, and somebody who compares the workers."""
    apps = [deployment.make_client("web", "--id-token-alg", alg) for alg in ALGORITHMS]
    person, browser = deployment.make_user(), deployment.browser()
    parties = [RelyingParty(deployment, app) for app in apps]
    grants = [[(party.app, first_grant(party, browser, person)) for party in parties] for _ in "ab"]
    seen, stop = Seen(), Event()
    with connections_to_each_worker(deployment, 3) as ((a1, a2, a3), (b1, b2, b3)):
        threads = [
            guarded(seen, use, 0, a1, b1, grants[0], seen, stop),
            guarded(seen, use, 1, b2, a2, grants[1], seen, stop),
            guarded(seen, compare, a3, b3, seen, stop),
        ]
        try:
            yield seen
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def first_grant(party: RelyingParty, browser: Browser, person: Person) -> str:
    """A refresh token that outlives the session."""
    answer = party.authorize(browser, person, scope="openid offline_access")
    return str(party.redeem(answer.code).json()["refresh_token"])


def pass_by(clock: SharedClock, instant: datetime) -> None:
    """Move to just before that moment, never back, and let it come."""
    clock.advance(max(instant - SECOND - clock.now, timedelta()))
    time.sleep(WHILE_IT_HAPPENS)


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    return SharedClock(tmp_path / "clock")


def keys(deployment: Deployment) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = deployment.command_line.answer("keys", "list")
    return found


def at(key: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(key[name])


def test_nobody_notices_that_keys_are_replaced(
    deploy: Callable[..., Deployment], clock: SharedClock
) -> None:
    deployment = deploy(clock=clock)

    with everybody_at_work(deployment) as seen:
        time.sleep(1)
        new = set(deployment.command_line.answer("keys", "rotate")["new_keys"])
        times = {key["kid"]: key for key in keys(deployment)}
        first = times[min(new)]
        pass_by(clock, at(first, "published_at"))
        clock.advance(at(first, "signs_from") - CACHED_FOR - clock.now)
        seen.cached = deployment.http.get("/jwks.json").content
        pass_by(clock, at(first, "signs_from"))
        clock.advance(timedelta(minutes=5))
        time.sleep(1)
        seen.cached = None
        pass_by(clock, at(times[min(set(times) - new)], "leaves_at"))

    assert seen.failures == []
    assert seen.kids == [set(times), set(times)]
    assert len(new) == len(ALGORITHMS)
    assert seen.verified > 60
    assert seen.compared > 30
    assert {key["state"] for key in keys(deployment) if key["kid"] not in new} == {"retired"}


def test_keys_that_sign_in_seconds_are_known_to_every_worker_before(
    deploy: Callable[..., Deployment], clock: SharedClock
) -> None:
    deployment = deploy(clock=clock)

    with everybody_at_work(deployment) as seen:
        time.sleep(1)
        for _ in range(2):
            new = set(deployment.command_line.answer("keys", "rotate", "--now")["new_keys"])
            first = next(key for key in keys(deployment) if key["kid"] in new)
            pass_by(clock, at(first, "published_at"))
            pass_by(clock, at(first, "signs_from"))

    assert seen.failures == []
    assert seen.kids == [{key["kid"] for key in keys(deployment)}] * 2
    assert len(seen.kids[0]) == 3 * len(ALGORITHMS)


def test_what_a_revoked_key_signed_dies_on_every_worker_at_once(
    deploy: Callable[..., Deployment], clock: SharedClock
) -> None:
    deployment = deploy(clock=clock)
    service = deployment.make_client("service", "--introspect")
    [leaked] = [key["kid"] for key in keys(deployment) if key["alg"] == "ES256"]
    with connections_to_each_worker(deployment, 1) as ([a], [b]):
        token = ask(a, service, grant_type="client_credentials")["access_token"]
        assert ask(b, service, "/introspect", token=token)["active"]

    done = deployment.command_line.answer("keys", "revoke", leaked, "--yes")
    with connections_to_each_worker(deployment, 1) as ([a], [b]):
        clock.advance(at(done, "leaves_at") + SECOND - clock.now)
        answers = [ask(worker, service, "/introspect", token=token) for worker in (a, b)]
        new = [ask(worker, service, grant_type="client_credentials") for worker in (a, b)]
        jwks = [fetch(worker) for worker in (a, b)]

    assert answers == [{"active": False}] * 2
    assert jwks[0] == jwks[1]
    assert {verify(each["access_token"], jwks[0]) for each in new} == {done["replaced_by"]}
