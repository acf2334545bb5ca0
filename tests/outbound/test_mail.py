"""Mails: writing them so that nothing can be smuggled in, and handing them over."""

import socket
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.outbound.mail import (
    Mail,
    MailRefusedError,
    MailUnavailableError,
    SmtpTransport,
    compose,
)
from oidc_server.settings import load
from tests.services.bad_line import State, line_to
from tests.services.external_service import certificate_for
from tests.services.ports import free_port
from tests.services.smtp import Mood

MAIL = Mail(
    to="alice@example.com",
    subject="Réinitialiser",
    text="Grüße\n\nhttps://id.example.com/x\n",
    html="<p>é</p>",
    message_id="0192-ab",
    language="fr",
)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SENDER = Address("Your ID", addr_spec="no-reply@id.example.com")


def transport_to(url, *, tls=None, timeout=5.0, deadline=60.0, **settings):
    env = {f"OIDC_{name.upper()}": str(value) for name, value in settings.items()}
    return SmtpTransport(
        load(
            {
                "OIDC_ISSUER": "https://id.example.com",
                "OIDC_SECRET_KEY": "s" * 32,
                "OIDC_SMTP_URL": url,
                **env,
            },
            None,
        ),
        clock=lambda: NOW,
        tls=tls,
        timeout=timeout,
        deadline=deadline,
    )


@pytest.fixture
def transport(smtp):
    return transport_to(f"smtp://{smtp.host}:{smtp.port}")


def test_a_mail_arrives_with_both_its_parts_and_the_headers_of_an_automatic_one(smtp, transport):
    transport.send(MAIL)

    [message] = smtp.messages
    text, html = message.get_body(["plain"]), message.get_body(["html"])
    assert text.get_content().replace("\r\n", "\n") == MAIL.text
    assert html.get_content().strip() == MAIL.html
    assert message["To"] == MAIL.to
    assert message["From"] == "Your ID <no-reply@id.example.com>"
    assert message["Subject"] == MAIL.subject
    assert message["Message-ID"] == "<0192-ab@id.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "fr"
    assert message["Date"].datetime == NOW
    assert message["X-Recipients"] == MAIL.to


def test_a_mail_travels_in_seven_bits_and_short_lines():
    long_link = "https://id.example.com/" + "a" * 2000

    raw = bytes(compose(Mail("a@b.example", "Grüße", f"ü {long_link}", "é" * 5000), SENDER, "now"))

    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) <= 998
    assert b"\n.\r\n" not in raw.replace(b"\r\n", b"\n")


def test_a_mail_without_html_and_id_is_plain_and_gets_an_id_of_its_own():
    mail = Mail("a@b.example", "Hello", "Text")

    messages = [compose(mail, SENDER, "now") for _ in range(2)]

    assert not messages[0].is_multipart()
    assert messages[0]["Message-ID"].endswith("@id.example.com>")
    assert messages[0]["Message-ID"] != messages[1]["Message-ID"]
    assert messages[0]["Content-Language"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: eve@example.com"},
        {"subject": "Hello\nBcc: eve@example.com"},
        {"subject": "Hello\u2028Bcc: eve@example.com"},
        {"subject": "Hello\x00"},
        {"to": "alice@example.com\r\nBcc: eve@example.com"},
        {"to": "alice@example.com\n"},
        {"to": "alice@example.com, eve@example.com"},
        {"to": "Alice <alice@example.com>"},
        {"to": "alice@example.com>"},
        {"to": "alice"},
        {"to": "@example.com"},
        {"to": "alice@"},
        {"to": ""},
        {"to": "a@b@c"},
        {"to": "jörg@example.com"},
        {"to": "joerg@bücher.example"},
        {"message_id": "x>\r\nBcc: eve@example.com"},
        {"message_id": "a b"},
        {"message_id": ""},
        {"language": "fr\r\nBcc: eve@example.com"},
        {"language": ""},
    ],
)
def test_a_mail_that_would_be_more_than_one_mail_cannot_be_made(changes):
    with pytest.raises(ValueError, match=r"mail|message id"):
        Mail(**({"to": "alice@example.com", "subject": "Hello", "text": "Text"} | changes))


@given(st.text(), st.text())
def test_whatever_is_written_there_is_one_recipient_and_one_subject(to, subject):
    try:
        mail = Mail(to, subject, "Text")
    except ValueError:
        return

    message = message_from_bytes(bytes(compose(mail, SENDER, "now")), policy=default)

    assert [address.addr_spec for address in message["To"].addresses] == [to]
    assert message["Subject"] == subject
    assert message.get_content() == "Text\n"


def test_a_mail_in_vain_for_now_may_be_tried_again(smtp, transport):
    smtp.mood = Mood.REFUSE_FOR_NOW

    with pytest.raises(MailUnavailableError, match="451"):
        transport.send(MAIL)

    smtp.mood = Mood.ACCEPT
    transport.send(MAIL)
    assert len(smtp.messages) == 1


def test_a_mail_refused_for_good_says_so_and_leaves_the_mail_server_in_trust(smtp):
    transport = transport_to(f"smtp://{smtp.host}:{smtp.port}", breaker_failures=2)
    smtp.mood = Mood.REFUSE_FOR_GOOD

    for _ in range(5):
        with pytest.raises(MailRefusedError, match="550"):
            transport.send(MAIL)

    smtp.mood = Mood.ACCEPT
    transport.send(MAIL)
    assert len(smtp.messages) == 1


def test_a_mail_server_that_is_silent_is_given_up_on(smtp):
    transport = transport_to(f"smtp://{smtp.host}:{smtp.port}", timeout=0.3)
    smtp.mood = Mood.HANG

    with pytest.raises(MailUnavailableError, match="timed out"):
        transport.send(MAIL)


def test_a_mail_server_that_speaks_too_slowly_is_given_up_on_before_it_is_done(smtp):
    with line_to(smtp.port) as line:
        line.state = State.SLOW  # each byte in time
        began = time.monotonic()

        with pytest.raises(MailUnavailableError, match="of no use"):
            transport_to(f"smtp://{smtp.host}:{line.port}", deadline=1.0).send(MAIL)

        assert time.monotonic() - began < 10
    for thread in threading.enumerate():
        if thread.name == "mail deadline":
            thread.join(60)
            assert not thread.is_alive()


def test_a_mail_server_that_is_down_is_left_alone_after_a_while():
    transport = transport_to(f"smtp://127.0.0.1:{free_port()}", breaker_failures=2)

    for _ in range(2):
        with pytest.raises(MailUnavailableError, match="of no use") as down:
            transport.send(MAIL)
        assert down.value.retry_after is None

    with pytest.raises(MailUnavailableError, match="breaker is open") as left_alone:
        transport.send(MAIL)
    assert left_alone.value.retry_after is not None
    assert 50 < left_alone.value.retry_after <= 60


def test_a_name_that_cannot_be_resolved_is_a_mail_server_that_is_down():
    with pytest.raises(MailUnavailableError):
        transport_to("smtp://nowhere.invalid?starttls=off", timeout=2).send(MAIL)


def test_without_a_mail_server_there_is_no_transport():
    with pytest.raises(ValueError, match="OIDC_SMTP_URL"):
        SmtpTransport(load({"OIDC_SECRET_KEY": "s" * 32}, None))


def test_an_accepted_mail_is_not_sent_again_because_of_a_rude_farewell():
    """Otherwise a server that hangs up too early would have every mail sent many times."""
    with scripted_server([b"250 ok"] * 3 + [b"354 go", b"500 no"]) as (port, seen):
        transport_to(f"smtp://127.0.0.1:{port}?starttls=off").send(MAIL)

    assert [line.split()[0].upper() for line in seen] == [
        b"EHLO",
        b"MAIL",
        b"RCPT",
        b"DATA",
        b"QUIT",
    ]


class Everybody:
    """Keeps what it is sent and how it came."""

    def __init__(self):
        self.sessions = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.sessions.append(
            (server.transport.get_extra_info("ssl_object") is not None, session.auth_data)
        )
        return "250 OK"


def known(_server, _session, _envelope, _mechanism, data):
    is_right = data.password == b"p@ss:w/rd"
    return AuthResult(success=is_right, handled=is_right, auth_data=data.login)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return certificate_for("localhost", tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server_tls(certificate):
    return certificate[0]


@pytest.fixture
def trusting(certificate):
    return certificate[1]


@contextmanager
def tls_server(**options):
    handler = Everybody()
    server = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    server.start()
    try:
        yield server.port, handler.sessions
    finally:
        server.stop()


def test_starttls_and_login_protect_the_way_to_the_mail_server(server_tls, trusting):
    with tls_server(tls_context=server_tls, authenticator=known, auth_required=True) as (
        port,
        seen,
    ):
        url = f"smtp://me%40example.com:p%40ss%3Aw%2Frd@localhost:{port}?starttls=required"
        transport_to(url, tls=trusting).send(MAIL)

    assert seen == [(True, b"me@example.com")]


def test_starttls_is_used_where_it_is_optional_and_offered(server_tls, trusting):
    with tls_server(tls_context=server_tls) as (port, seen):
        transport_to(f"smtp://localhost:{port}?starttls=optional", tls=trusting).send(MAIL)

    assert seen == [(True, None)]


def test_tls_from_the_start_works_too(server_tls, trusting):
    with tls_server(ssl_context=server_tls) as (port, seen):
        transport_to(f"smtps://localhost:{port}", tls=trusting).send(MAIL)

    assert seen == [(True, None)]


def test_a_certificate_that_nobody_vouches_for_ends_the_conversation(server_tls):
    with tls_server(tls_context=server_tls) as (port, seen):
        refused_by(
            transport_to(f"smtp://localhost:{port}?starttls=required"), "CERTIFICATE_VERIFY_FAILED"
        )

    assert seen == []


def test_a_certificate_for_another_name_ends_the_conversation(server_tls, trusting):
    with tls_server(tls_context=server_tls) as (port, seen):
        transport = transport_to(f"smtp://127.0.0.1:{port}?starttls=required", tls=trusting)
        refused_by(transport, "CERTIFICATE_VERIFY_FAILED")

    assert seen == []


def test_where_encryption_is_required_a_server_without_it_gets_neither_password_nor_mail(smtp):
    """An attacker on the way can take the offer of STARTTLS out of the conversation."""
    url = f"smtp://me:hidden@localhost:{smtp.port}?starttls=required"

    with pytest.raises(MailUnavailableError, match="STARTTLS"):
        transport_to(url).send(MAIL)

    assert smtp.attempts == 0


def test_a_wrong_password_is_trouble_for_all_mails_not_for_this_one(server_tls, trusting):
    with tls_server(tls_context=server_tls, authenticator=known) as (port, seen):
        transport = transport_to(
            f"smtp://me:hidden@localhost:{port}?starttls=required", tls=trusting
        )
        reason = refused_by(transport, "535")

    assert seen == []
    assert "hidden" not in reason


def refused_by(transport, reason):
    with pytest.raises(MailUnavailableError, match=reason) as refusal:
        transport.send(MAIL)
    return str(refusal.value)


@contextmanager
def scripted_server(replies):
    """Says the replies, one for each line it gets, and then hangs up without a word."""
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def converse():
        connection, _ = listener.accept()
        connection.settimeout(10)
        with closing(connection), connection.makefile("rb") as lines:
            connection.sendall(b"220 hello\r\n")
            for reply in replies:
                line = lines.readline().strip()
                seen.append(line)
                connection.sendall(reply + b"\r\n")
                if reply.startswith(b"354"):
                    while lines.readline() != b".\r\n":
                        pass
                    connection.sendall(b"250 accepted\r\n")

    thread = threading.Thread(target=converse)
    thread.start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        thread.join(10)
        listener.close()
