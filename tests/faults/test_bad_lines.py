"""External services that hang, or answer byte by byte, delay only what needs them."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median
from urllib.parse import parse_qs

import httpx2
import jwt
import pytest

from tests.authentication.providers.leaving import come_back, onward, press
from tests.factories import App
from tests.relying_party import RelyingParty
from tests.services.bad_line import Line, State, line_to
from tests.services.deployment import Deployment
from tests.services.external_service import external_service, saying
from tests.services.provider import Provider, running_provider
from tests.services.smtp import MailServer
from tests.waiting import wait_for

pytestmark = [pytest.mark.race, pytest.mark.slow]
GIVEN_UP_AFTER = 5.0
"""Seconds that anybody is asked for over HTTP."""
SLACK = 4.5
"""Seconds that a request may take on a busy machine beyond what it waits for. Who waits for
a bad line takes longer."""
UNDISTURBED = 1.0
"""Seconds within which half of the requests of others are answered."""


@pytest.mark.parametrize("state", [State.SILENT, State.CUT])
def test_mails_wait_for_a_mail_server_that_hangs_and_arrive_once(
    deploy_sqlite: Callable[..., Deployment], smtp: MailServer, state: State
) -> None:
    with line_to(smtp.port) as line:
        smtp_url = f"smtp://127.0.0.1:{line.port}?starttls=off"
        deployment = deploy_sqlite(workers=1, smtp_url=smtp_url)
        people = [deployment.make_user() for _ in range(2)]
        browsers = [deployment.browser() for _ in people]
        forms = [browser.go("/password-reset") for browser in browsers]
        line.state = state

        with undisturbed(deployment):
            for browser, form, person in zip(browsers, forms, people, strict=True):
                began = time.monotonic()
                assert browser.send(form, username=person.username).status_code == 200
                assert time.monotonic() - began < SLACK
            wait_for(lambda: line.taken > 0)
            time.sleep(1)
        assert smtp.messages == []
        line.state = State.GOOD

        wait_for(lambda: len(smtp.messages) == len(people))
        time.sleep(1.5)
        assert [len(smtp.mails_to(person.email)) for person in people] == [1, 1]


@pytest.mark.parametrize("state", [State.SILENT, State.SLOW])
def test_a_provider_that_hangs_is_told_of_in_time_left_alone_and_trusted_again(
    deploy_sqlite: Callable[..., Deployment], state: State
) -> None:
    deployment = deploy_sqlite(workers=1, breaker_failures="2", breaker_open="1s")
    with running_provider() as provider, before(provider) as line:
        deployment.command_line.answer(
            *("providers", "add", "acme", "--issuer", provider.issuer, "--client-id", "us"),
            "--secret-stdin",
            stdin=provider.client_secret,
        )
        browsers = [deployment.browser() for _ in range(4)]
        left = [press(browser, browser.go("/login")) for browser in browsers]
        back = [
            partial(timed_answer, partial(come_back, browser, provider.authorize(onward(page))))
            for browser, page in zip(browsers, left, strict=True)
        ]
        line.state = state

        with undisturbed(deployment), ThreadPoolExecutor(3) as threads:
            asked = [threads.submit(come) for come in back[:3]]
            answers = [one.result() for one in asked]
            last, at_once = back[3]()
        line.state = State.GOOD

        for answer in (last, *(answer for answer, _ in answers)):
            assert answer.status_code == 503, answer.text
            assert "does not answer right now" in answer.text
        assert max(seconds for _, seconds in answers) < 3 * GIVEN_UP_AFTER
        assert at_once < SLACK
        person = deployment.browser()
        wait_for(lambda: press(person, person.go("/login")).status_code == 200)
        query = provider.authorize(onward(press(person, person.go("/login"))))
        assert come_back(person, query).status_code == 200
        for told in ("opened", "half-open"):
            assert f"circuit breaker {told}" in deployment.server.logs()


@pytest.mark.parametrize("state", [State.SILENT, State.SLOW])
def test_an_application_that_hangs_when_it_is_told_of_a_sign_out_is_told_later(
    deploy_sqlite: Callable[..., Deployment], state: State
) -> None:
    deployment = deploy_sqlite(workers=1)
    with (
        external_service(saying(b"")) as quick,
        external_service(saying(b"")) as other,
        line_to(other.port) as line,
    ):
        hanging = f"http://127.0.0.1:{line.port}/"
        apps = [logout_client(deployment, uri) for uri in (hanging, quick.url())]
        person, browser = deployment.make_user(), deployment.browser()
        for app in apps:
            party = RelyingParty(deployment, app)
            party.redeem(party.authorize(browser, person).code)
        page = browser.go("/logout")
        line.state = state

        with undisturbed(deployment):
            began = time.monotonic()
            assert browser.send(page).status_code == 200
            took = time.monotonic() - began
            wait_for(lambda: line.taken > 0)
            wait_for(lambda: quick.asked != [])
        line.state = State.GOOD

        assert took < SLACK
        wait_for(lambda: states(deployment) == {"delivered"})
        assert len(quick.asked) == 1
        assert len({token_id(one[3]) for one in other.asked}) == 1


@contextmanager
def undisturbed(deployment: Deployment) -> Iterator[None]:
    """Somebody else asks for tokens all the time, and gets them as ever."""
    service = deployment.make_client("service")
    waits: list[float] = []
    is_over = False

    def ask() -> None:
        with httpx2.Client(base_url=deployment.issuer, timeout=30) as client:
            while not is_over:
                began = time.monotonic()
                answer = client.post(
                    "/token",
                    data={"grant_type": "client_credentials"},
                    auth=(service.client_id, service.client_secret or ""),
                )
                waits.append(time.monotonic() - began)
                assert answer.status_code == 200
                time.sleep(0.05)

    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(ask)
        try:
            yield
        finally:
            is_over = True
        asking.result()
    assert median(waits) < UNDISTURBED
    assert max(waits) < SLACK


@contextmanager
def before(provider: Provider) -> Iterator[Line]:
    """A line to the provider, by whose address it is known from now on."""
    assert provider.running is not None
    with line_to(provider.running.port) as line:
        provider.running.port = line.port
        yield line


def timed_answer(ask: Callable[[], httpx2.Response]) -> tuple[httpx2.Response, float]:
    began = time.monotonic()
    return ask(), time.monotonic() - began


def states(deployment: Deployment) -> set[str]:
    told = deployment.command_line.answer("logout-deliveries", "list")
    return {one["state"] for one in told}


def token_id(body: bytes) -> str:
    [token] = parse_qs(body.decode())["logout_token"]
    return str(jwt.decode(token, options={"verify_signature": False})["jti"])


def logout_client(deployment: Deployment, uri: str) -> App:
    return deployment.make_client("web", "--backchannel-logout-uri", uri)
