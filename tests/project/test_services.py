"""The parts that other tests lean on are real and work on this machine."""

import signal
import smtplib
import sys
import time
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage

import httpx2
import pytest
from sqlalchemy import NullPool, create_engine, text

from tests.services.clock import SharedClock
from tests.services.ports import free_port
from tests.services.server import COMMAND_WITH_CLOCK, running_server
from tests.services.smtp import Mood


def test_a_port_that_was_given_away_is_not_given_again_before_its_server_listens():
    ports = [free_port() for _ in range(500)]

    assert len(set(ports)) == len(ports)


def test_a_database_takes_what_it_is_given(database_url):
    engine = create_engine(database_url, poolclass=NullPool)

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (name VARCHAR(9))"))
        connection.execute(text("INSERT INTO things VALUES ('hammer')"))

    with engine.begin() as connection:
        assert connection.execute(text("SELECT name FROM things")).scalar_one() == "hammer"
        connection.execute(text("DROP TABLE things"))


def test_a_fresh_database_is_empty_and_of_the_kind_asked_for(fresh_database_url, request):
    engine = create_engine(fresh_database_url, poolclass=NullPool)
    tables = {
        "sqlite": "SELECT count(*) FROM sqlite_master",
        "postgresql": "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
    }

    with engine.connect() as connection:
        number = connection.execute(text(tables[engine.dialect.name])).scalar_one()

    assert number == 0
    assert engine.dialect.name in request.node.callspec.id


def test_postgresql_lets_many_connect(postgres_url):
    engine = create_engine(postgres_url, poolclass=NullPool)

    with engine.connect() as connection:
        allowed = connection.execute(text("SHOW max_connections")).scalar_one()

    assert int(allowed) >= 200, "set max_connections of the server at TEST_DATABASE_URL"


def test_a_copy_of_a_database_holds_what_its_template_holds(postgres):
    template = postgres.create_database()
    with create_engine(template, poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE TABLE things (name TEXT)"))

    copy = postgres.create_database(template)

    with create_engine(copy, poolclass=NullPool).begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM things")).scalar_one() == 0
    postgres.drop_database(copy)
    postgres.drop_database(template)


def test_the_mail_server_keeps_what_it_accepts(smtp):
    send(smtp, to="ann@example.com")

    [message] = smtp.wait_for(1)

    assert message["Subject"] == "Grüße"
    assert smtp.mails_to("ann@example.com") == [message]
    assert smtp.mails_to("bob@example.com") == []


@pytest.mark.parametrize(
    ("mood", "code"), [(Mood.REFUSE_FOR_NOW, 451), (Mood.REFUSE_FOR_GOOD, 550)]
)
def test_the_mail_server_can_refuse(smtp, mood, code):
    smtp.mood = mood

    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(smtp, to="ann@example.com")

    assert refusal.value.smtp_code == code
    assert smtp.messages == []


def test_the_mail_server_can_leave_its_client_waiting(smtp):
    smtp.mood = Mood.HANG

    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        send(smtp, to="ann@example.com", timeout=1)

    assert smtp.attempts == 1


def test_chromium_opens_a_page(page):
    page.goto("data:text/html,<title>Hello</title><h1>There</h1>")

    assert page.title() == "Hello"
    assert page.locator("h1").inner_text() == "There"


def test_node_imports_the_independent_client(node):
    names = node.evaluate(
        'import * as client from "openid-client"; console.log(JSON.stringify(Object.keys(client)));'
    )

    assert {"discovery", "buildAuthorizationUrl", "authorizationCodeGrant"} <= set(names)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_the_server_runs_on_a_database_of_its_own(start_server, fresh_database_url, workers):
    server = start_server(settings(fresh_database_url), workers=workers)

    metadata = httpx2.get(f"{server.base_url}/.well-known/openid-configuration").json()
    ready = httpx2.get(f"{server.base_url}/health/ready")

    assert metadata["issuer"].rpartition(":")[2] == server.base_url.rpartition(":")[2]
    assert ready.status_code == 200
    assert server.stop() in (0, -signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_can_be_run_on_a_clock_that_the_test_moves(
    start_server, postgres, tmp_path, workers
):
    clock, database = SharedClock(tmp_path / "clock"), postgres.create_database()
    server = start_server(
        settings(database) | clock.environment, workers=workers, command=COMMAND_WITH_CLOCK
    )
    assert httpx2.get(f"{server.base_url}/health/ready").status_code == 200

    clock.advance(timedelta(hours=1))

    assert httpx2.get(f"{server.base_url}/health/ready").status_code == 503  # it mistrusts itself


def test_a_server_is_started_on_a_free_port_and_stopped(start_server, tmp_path):
    (tmp_path / "hello.txt").write_text("hello")

    server = start_server(
        {},
        command=(sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1"),
        options=("{port}",),
        ready_path="/hello.txt",
    )

    assert "GET /hello.txt" in server.logs()
    assert server.stop() != 0
    assert server.process.poll() is not None


def test_nothing_is_left_of_a_server_whose_parent_was_killed(tmp_path):
    program = (
        "import http.server as http, os;"
        "server = http.HTTPServer(('127.0.0.1', {port}), http.SimpleHTTPRequestHandler);"
        "os.fork(); server.serve_forever()"
    )
    command = (sys.executable, "-c", program)

    with running_server(tmp_path, {}, command=command, options=(), ready_path="/") as server:
        server.stop(signal.SIGKILL)
        assert httpx2.get(server.base_url).status_code == 200  # its fork still answers

    with pytest.raises(httpx2.ConnectError):
        ask_for_five_seconds(server.base_url)  # nobody can wait for a fork without a parent


def test_a_server_that_cannot_start_says_why(start_server):
    with pytest.raises(AssertionError, match="no such thing"):
        start_server({}, command=(sys.executable, "-c", "raise SystemExit('no such thing')"))


def ask_for_five_seconds(url):
    for _ in range(100):
        with suppress(httpx2.ReadError):
            httpx2.get(url)
        time.sleep(0.05)


def settings(database_url):
    return {"OIDC_DATABASE_URL": database_url, "OIDC_SECRET_KEY": "x" * 48}


def send(smtp, to, timeout=5):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "id@example.com", to, "Grüße"
    message.set_content("Hello.")
    with smtplib.SMTP(smtp.host, smtp.port, timeout=timeout) as client:
        client.send_message(message)
