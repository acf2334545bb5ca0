"""The service that knows leaked passwords: what it is told, and how little depends on it."""

import time
from hashlib import sha1
from http.server import BaseHTTPRequestHandler
from threading import Event

import pytest

from oidc_server.outbound.leaked_passwords import LeakedPasswords
from oidc_server.settings import SettingsError, load
from tests.services.external_service import external_service, saying

PASSWORD = "a leaked passphrase"
TEXT = sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()


def ranges(url, failures=1000):
    settings = load(
        {
            "OIDC_ISSUER": "https://id.example.com",
            "OIDC_SECRET_KEY": "s" * 32,
            "OIDC_BREAKER_FAILURES": str(failures),
            "OIDC_BREACHED_PASSWORDS_URL": url,
        },
        None,
    )
    return LeakedPasswords(settings)


def lines(*found):
    padding = [f"{number:035X}:0" for number in range(12_000)]
    return "\r\n".join([*padding[:6000], *found, *padding[6000:]]).encode()


@pytest.mark.parametrize(
    ("line", "leaked"),
    [
        (f"{TEXT[5:]}:3861493", True),
        (f"{TEXT[5:].lower()}:1", True),
        (f"{TEXT[5:]}:0", False),
        (f"{TEXT[5:-1]}0:12", False),
    ],
)
def test_the_service_learns_five_digits_and_answers_with_all_that_begin_so(line, leaked):
    with external_service(saying(lines(line), content_type="text/plain")) as service:
        assert ranges(service.url("/range")).is_known_elsewhere(PASSWORD) is leaked

    [(method, path, headers, body)] = service.asked
    assert (method, path, body) == ("GET", f"/range/{TEXT[:5]}", b"")
    assert headers["add-padding"] == "true"
    assert TEXT[5:] not in str(service.asked)


@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_an_answer_of_no_use_stops_nobody_and_is_logged(status, caplog):
    with external_service(saying(b"", status=status)) as service:
        assert not ranges(service.url()).is_known_elsewhere(PASSWORD)

    assert "leaked password service failed" in caplog.text
    assert TEXT[:5] not in caplog.text


def test_a_service_that_is_slow_is_waited_for_a_moment_and_then_left_alone():
    release = Event()

    def say_nothing(_: BaseHTTPRequestHandler) -> None:
        release.wait(60)

    with external_service(say_nothing) as service:
        asked = ranges(service.url(), failures=2)
        start = time.monotonic()
        answers = [asked.is_known_elsewhere(PASSWORD) for _ in range(6)]
        took = time.monotonic() - start
        release.set()

    assert answers == [False] * 6
    assert 2.5 < took < 30
    assert len(service.asked) == 2


@pytest.mark.parametrize("content", [None, b"", b"no digests"])
def test_a_list_that_cannot_be_used_stops_the_start_with_words(tmp_path, content):
    path = tmp_path / "leaked"
    if content is not None:
        path.write_bytes(content)
    settings = load(
        {
            "OIDC_ISSUER": "https://id.example.com",
            "OIDC_SECRET_KEY": "s" * 32,
            "OIDC_BREACHED_PASSWORDS_LIST": str(path),
        },
        None,
    )

    with pytest.raises(SettingsError, match=r"OIDC_BREACHED_PASSWORDS_LIST: .*leaked"):
        LeakedPasswords(settings)
