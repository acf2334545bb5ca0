"""From the end of a session to the clients that want to hear of it, whatever they answer."""

import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from threading import Event
from urllib.parse import parse_qs

import jwt
import pytest
from sqlalchemy import select, update

from oidc_server.domain import audit, clients, endings, logout_deliveries
from oidc_server.domain.audit import AuditEvent
from oidc_server.domain.clients import ClientRow
from oidc_server.domain.outbox import OutboxRow
from oidc_server.jobs import session_expiry
from oidc_server.jobs.logout_delivery import deliver
from oidc_server.outbound.http import HttpClient
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.services.clock import SharedClock
from tests.services.external_service import external_service, saying
from tests.services.ports import free_port
from tests.waiting import wait_for

OK = saying(b"")
DEADLINE = 20.0
HELD_FOR = timedelta(seconds=15)
"""How long a worker that has begun to tell a client is left alone, alive or not."""


def waiting_for(event):
    """Say nothing until then, and nothing after it."""

    def behave(_handler):
        event.wait(60)

    return behave


@pytest.fixture
def runtime(site):
    """A server that may speak to this machine, and waits for nobody longer than `DEADLINE`."""
    settings = site.runtime.settings.model_copy(update={"issuer": "http://localhost:8000"})
    return replace(site.runtime, http=HttpClient(settings, deadline=DEADLINE))


@pytest.fixture
def other():
    with external_service(OK) as running:
        yield running


def sign_out_of(site, *others, self_registered=False):
    """A person signs in at a client on each of these servers, and out."""
    party, browser, person, _ = signed_in(site)
    for one in others:
        app = make_client(site, backchannel_logout_uri=one.url("/backchannel?of=us"))
        if self_registered:
            with site.db() as db:
                row = db.session.get(ClientRow, app.client_id)
                row.registration_digest, row.revision = app.client_id.encode(), row.revision + 1
        party = RelyingParty(site, app)
        assert party.redeem(party.authorize(browser, person).code).status_code == 200
    browser.send(browser.go("/logout"))


def deliveries(site):
    with site.db() as db:
        return logout_deliveries.find_all(db, only_failed=False, limit=100)


def states(site):
    return [delivery.state for delivery in deliveries(site)]


def token_of(asked):
    _, _, _, body = asked
    [token] = parse_qs(body.decode(), strict_parsing=True)["logout_token"]
    return jwt.decode(token, options={"verify_signature": False})


def events(site, event):
    with site.db() as db:
        found = db.session.scalars(select(AuditEvent).where(AuditEvent.event == event.value))
        return [(row.client_id, row.detail) for row in found]


@pytest.mark.parametrize("status", [200, 204])
def test_what_a_client_takes_is_done_and_recorded(site, runtime, other, status):
    other.behaviour = saying(b"", status=status)
    sign_out_of(site, other)

    deliver(runtime, Event())
    deliver(runtime, Event())

    [(method, path, headers, _)] = other.asked
    assert (method, path) == ("POST", "/backchannel?of=us")
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    [delivery] = deliveries(site)
    assert delivery.state == "delivered"
    [(client_id, detail)] = events(site, audit.Event.LOGOUT_DELIVERED)
    assert client_id == delivery.client_id
    assert detail == {"delivery": delivery.id, "sid": delivery.sid, "attempts": 1}


def test_what_a_client_refuses_is_given_up_and_says_so(site, runtime, other):
    other.behaviour = saying(b'{"error":"invalid_request"}', status=400)
    sign_out_of(site, other)

    deliver(runtime, Event())
    site.clock.advance(timedelta(hours=1))
    deliver(runtime, Event())

    assert len(other.asked) == 1
    [delivery] = deliveries(site)
    assert (delivery.state, delivery.attempts) == ("failed", 1)
    assert delivery.last_error == "the client refused it with status 400"
    [(client_id, detail)] = events(site, audit.Event.LOGOUT_GIVEN_UP)
    assert client_id == delivery.client_id
    assert detail["reason"] == delivery.last_error


def test_a_refusal_that_comes_when_another_node_is_done_gives_nothing_up(
    site, runtime, other, caplog
):
    refuse = saying(b"", status=400)

    def refuse_too_late(handler):
        with site.db() as db:
            db.session.execute(update(OutboxRow).values(delivered_at=site.clock.now))
        refuse(handler)

    other.behaviour = refuse_too_late
    sign_out_of(site, other)

    deliver(runtime, Event())

    assert len(other.asked) == 1
    assert states(site) == ["delivered"]
    assert events(site, audit.Event.LOGOUT_GIVEN_UP) == []
    assert "given up" not in caplog.text


@pytest.mark.parametrize("status", [500, 503, 429, 404, 302])
def test_a_client_that_fails_is_told_again_under_the_same_jti(site, runtime, other, status):
    other.behaviour = saying(b"", status=status, location=other.url("/elsewhere"))
    sign_out_of(site, other)
    deliver(runtime, Event())
    assert states(site) == ["waiting"]

    other.behaviour = OK
    deliver(runtime, Event())
    assert len(other.asked) == 1
    site.clock.advance(5)
    deliver(runtime, Event())

    first, second = map(token_of, other.asked)
    assert first["jti"] == second["jti"]
    assert first["iat"] + 5 == second["iat"]
    assert states(site) == ["delivered"]


def test_a_client_that_is_away_is_told_when_it_is_back(site, runtime):
    port = free_port()
    with external_service(OK, port=port) as gone:
        sign_out_of(site, gone)
    deliver(runtime, Event())
    assert deliveries(site)[0].state == "waiting"
    assert deliveries(site)[0].last_error == "ConnectError"

    site.clock.advance(5)
    with external_service(OK, port=port) as back:
        deliver(runtime, Event())

    assert len(back.asked) == 1
    assert states(site) == ["delivered"]


def test_a_client_that_is_away_for_long_is_left_alone(site, runtime):
    with external_service(OK, port=free_port()) as gone:
        sign_out_of(site, gone)
    for _ in range(runtime.settings.breaker_failures):
        deliver(runtime, Event())
        site.clock.advance(timedelta(minutes=15))

    deliver(runtime, Event())

    assert deliveries(site)[0].last_error == "circuit breaker open"
    assert states(site) == ["waiting"]


def test_a_slow_client_holds_up_nobody_else(site, runtime):
    release = Event()
    with external_service(waiting_for(release)) as slow, ExitStack() as stack:
        quick = [stack.enter_context(external_service(OK)) for _ in range(3)]
        sign_out_of(site, slow, *quick, slow)
        begun = time.monotonic()
        job = threading.Thread(target=deliver, args=(runtime, Event()))
        job.start()

        while not all(one.asked for one in quick) and time.monotonic() < begun + DEADLINE:
            time.sleep(0.01)
        took = time.monotonic() - begun
        asked_meanwhile = len(slow.asked)
        release.set()
        job.join()

    assert took < DEADLINE / 2
    assert asked_meanwhile <= 1  # the next one to it waits for its turn
    assert sorted(states(site)) == ["delivered"] * 3 + ["waiting"] * 2


def test_clients_that_registered_themselves_hold_up_nobody_else(site, runtime):
    """Whoever may register can name any number of slow ones."""
    release = Event()
    with ExitStack() as stack:
        slow = [stack.enter_context(external_service(waiting_for(release))) for _ in range(20)]
        quick = stack.enter_context(external_service(OK))
        sign_out_of(site, *slow, self_registered=True)
        sign_out_of(site, quick)
        begun = time.monotonic()
        job = threading.Thread(target=deliver, args=(runtime, Event()))
        job.start()

        while not quick.asked and time.monotonic() < begun + DEADLINE:
            time.sleep(0.01)
        took = time.monotonic() - begun
        release.set()
        job.join()

    assert took < DEADLINE / 2


@pytest.mark.parametrize("change", ["disabled", "without an address"])
def test_a_client_that_wants_it_no_more_is_given_up_unasked(site, runtime, other, change):
    sign_out_of(site, other)
    client_id = deliveries(site)[0].client_id
    with site.db() as db:
        client = clients.load(db, client_id)
        if change == "disabled":
            clients.change(db, client.client_id, disabled_at=site.clock.now)
        else:
            metadata = replace(client.metadata, backchannel_logout_uri=None)
            clients.change(db, client.client_id, metadata=metadata)

    deliver(runtime, Event())

    assert other.asked == []
    assert states(site) == ["failed"]
    assert len(events(site, audit.Event.LOGOUT_GIVEN_UP)) == 1


def test_an_address_behind_our_walls_is_never_asked(site, other):
    sign_out_of(site, other)

    deliver(site.runtime, Event())

    assert other.asked == []
    assert states(site) == ["failed"]


def test_nothing_new_is_begun_when_the_server_stops(site, runtime, other):
    sign_out_of(site, other)
    stopping = Event()
    stopping.set()

    deliver(runtime, stopping)

    assert other.asked == []
    assert deliveries(site)[0].attempts == 0


def test_one_that_cannot_be_made_does_not_stop_the_others(site, runtime, other, caplog):
    sign_out_of(site, other, other)
    client_id = deliveries(site)[0].client_id
    with site.db() as db:
        client = clients.load(db, client_id)
        metadata = replace(client.metadata, id_token_signed_response_alg="XS256")
        clients.change(db, client.client_id, metadata=metadata)

    deliver(runtime, Event())

    assert len(other.asked) == 1
    assert sorted(states(site)) == ["delivered", "waiting"]
    assert "logout could not be sent" in caplog.text


def test_a_session_whose_time_is_over_is_told_too(site, runtime, other):
    signed_in(site, backchannel_logout_uri=other.url())
    session_expiry.end_expired(runtime, Event())
    assert deliveries(site) == []

    site.clock.advance(runtime.settings.session_idle_lifetime)
    session_expiry.end_expired(runtime, Event())
    deliver(runtime, Event())

    assert len(other.asked) == 1


def test_another_person_in_the_same_browser_ends_the_session_of_the_first(site, runtime, other):
    party, browser, _, tokens = signed_in(site, backchannel_logout_uri=other.url())
    site.clock.advance(5)
    browser.log_in(browser.go(party.url(prompt="login")), make_user(site))

    deliver(runtime, Event())

    [asked] = other.asked
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert token_of(asked)["sid"] == claims["sid"]


def test_signing_in_again_ends_nothing(site, runtime, other):
    party, browser, person, _ = signed_in(site, backchannel_logout_uri=other.url())
    site.clock.advance(5)
    browser.log_in(browser.go(party.url(prompt="login")), person)

    deliver(runtime, Event())

    assert other.asked == []


def test_a_new_password_tells(site, runtime, other):
    _, _, person, _ = signed_in(site, backchannel_logout_uri=other.url())
    with site.db() as db:
        endings.change_password(db, person.id, "the hash of another password", site.clock.now)

    deliver(runtime, Event())

    assert len(other.asked) == 1


@pytest.mark.slow
def test_a_running_server_tells_soon_after_the_commit(start_site, other):
    site = start_site(issuer="http://localhost:8000", with_jobs=True)

    sign_out_of(site, other)

    wait_for(lambda: other.asked, 5)


@pytest.mark.race
@pytest.mark.slow
def test_what_a_killed_worker_was_telling_is_told_by_another(deploy, tmp_path):
    hold, clock = Event(), SharedClock(tmp_path / "clock")
    with external_service(waiting_for(hold)) as other:
        deployment = deploy(clock=clock)
        app = deployment.make_client("web", "--backchannel-logout-uri", other.url())
        party, browser = RelyingParty(deployment, app), deployment.browser()
        party.redeem(party.authorize(browser, deployment.make_user()).code)
        browser.send(browser.go("/logout"))
        wait_for(lambda: other.asked, 15)

        deployment.kill_workers()
        other.behaviour = OK
        hold.set()
        clock.advance(HELD_FOR)

        wait_for(lambda: len(other.asked) >= 2, 60)
        wait_for(lambda: told_of(deployment) == ["delivered"], 30)
    assert len({token_of(asked)["jti"] for asked in other.asked}) == 1


def told_of(deployment):
    listed = deployment.command_line.answer("logout-deliveries", "list")
    return [delivery["state"] for delivery in listed]
