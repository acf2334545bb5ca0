"""A document is fetched where it holds nobody up, and once however many requests need it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Event

import orjson
import pytest

from oidc_server.outbound.http import DEADLINE_SECONDS
from oidc_server.security.jose import SigningKey
from tests.client_assertions import assertion_fields, claims_for, key_set, sign
from tests.client_registration.registrations import app_of, registered
from tests.factories import App, make_client
from tests.services.external_service import Behaviour, ExternalService, external_service, saying
from tests.site import Site

KEY = SigningKey.generate("ES256")
ISSUER = "http://localhost:8000"
SLOW = 0.8


@pytest.fixture
def here(start_site: Callable[..., Site]) -> Site:
    return start_site(issuer=ISSUER)


def slow(answer: Behaviour) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(SLOW)
        answer(handler)

    return behave


@contextmanager
def held(answer: Behaviour) -> Iterator[tuple[ExternalService, Event]]:
    """A service that answers nobody before the event is set; it waits as long as we do at most."""
    release = Event()

    def behave(handler: BaseHTTPRequestHandler) -> None:
        release.wait(DEADLINE_SECONDS)
        answer(handler)

    with external_service(behave) as other:
        yield other, release


def publisher(site: Site, jwks_uri: str) -> App:
    return make_client(
        site, "service", scopes=("read",), token_endpoint_auth_method="private_key_jwt",
        jwks_uri=jwks_uri,
    )  # fmt: skip


def ask(site: Site, app: App) -> int:
    assertion = sign(KEY, claims_for(app.client_id, ISSUER, site.clock.now))
    fields = assertion_fields(assertion, grant_type="client_credentials")
    status: int = site.http.post("/token", data=fields).status_code
    return status


def test_requests_that_need_one_document_wait_for_one_fetch(here: Site) -> None:
    with (
        external_service(slow(saying(orjson.dumps(key_set(KEY))))) as other,
        ThreadPoolExecutor(20) as pool,
    ):
        app = publisher(here, other.url())

        statuses = list(pool.map(lambda _: ask(here, app), range(20)))

    assert statuses == [200] * 20
    assert len(other.asked) == 1


def test_a_slow_external_service_delays_neither_others_nor_the_database(here: Site) -> None:
    with (
        held(saying(orjson.dumps(key_set(KEY)))) as (other, release),
        ThreadPoolExecutor(1) as pool,
    ):
        app = publisher(here, other.url())
        waiting = pool.submit(ask, here, app)
        while not other.asked:
            time.sleep(0.01)

        with here.db():
            after_writing = waiting.done()
        answer = here.http.get("/jwks.json")
        after_reading = waiting.done()
        release.set()

        assert waiting.result() == 200
    assert answer.status_code == 200
    assert (after_writing, after_reading) == (False, False)


def test_when_too_many_documents_wait_the_next_is_told_to_come_back(here: Site) -> None:
    here.runtime.fetching.for_clients._room = 1
    with (
        held(saying(orjson.dumps(key_set(KEY)))) as (other, release),
        ThreadPoolExecutor(1) as pool,
    ):
        first, second = (publisher(here, other.url(path)) for path in ("/1", "/2"))
        waiting = pool.submit(ask, here, first)
        while not other.asked:
            time.sleep(0.01)

        busy = ask(here, second)
        release.set()

        assert waiting.result() == 200
        assert busy == 503
        assert ask(here, second) == 200


def test_addresses_of_self_registered_clients_delay_only_such_clients(
    start_site: Callable[..., Site],
) -> None:
    """Whoever may register can name any number of slow ones."""
    here = start_site(issuer=ISSUER, registration="open")
    here.runtime.fetching.for_self_registered._room = 1
    keys = saying(orjson.dumps(key_set(KEY)))
    with (
        held(keys) as (strange, release),
        external_service(keys) as known,
        ThreadPoolExecutor(1) as pool,
    ):
        method = "private_key_jwt"
        strangers = [
            app_of(registered(here, token_endpoint_auth_method=method, jwks_uri=strange.url(path)))
            for path in ("/1", "/2")
        ]
        waiting = pool.submit(ask, here, strangers[0])
        while not strange.asked:
            time.sleep(0.01)

        statuses = [ask(here, strangers[1]), ask(here, publisher(here, known.url()))]
        release.set()

        assert statuses == [503, 200]
        assert waiting.result() == 400  # it is known by now, and has not registered for the grant


def test_addresses_of_self_registered_clients_open_no_breaker_for_others(
    start_site: Callable[..., Site],
) -> None:
    """Whoever may register can name ones that fail, at the host of somebody who works."""
    here = start_site(issuer=ISSUER, registration="open", breaker_failures=3)
    keys = saying(orjson.dumps(key_set(KEY)))

    def behave(handler: BaseHTTPRequestHandler) -> None:
        (keys if handler.path == "/keys" else saying(b"", status=503))(handler)

    with external_service(behave) as other:
        for path in ("/1", "/2", "/3", "/keys"):
            method, uri = "private_key_jwt", other.url(path)
            ask(here, app_of(registered(here, token_endpoint_auth_method=method, jwks_uri=uri)))

        status = ask(here, publisher(here, other.url("/keys")))

    assert status == 200
