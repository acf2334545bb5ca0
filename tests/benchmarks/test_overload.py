"""The overload is offered whatever becomes of it, and everything that becomes of it is counted."""

import time
from http.server import BaseHTTPRequestHandler

import pytest

from benchmarks.overload.sender import Journey, Sender, Tally
from tests.benchmarks.command import bench
from tests.services.external_service import Behaviour, external_service, saying

HANGING = 1.0


def sent(behaviour: Behaviour, count: int, seconds: float) -> Tally:
    """What became of so many requests to somebody who behaves like that."""

    def one() -> Journey:
        answer = yield b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        return None if answer.status == 200 else f"{answer.status}"

    with external_service(behaviour) as other:
        sender = Sender(other.port, {"one": one}, ["one"])
        sender.open(count / seconds, seconds)
    return sender.tallies["one"]


def test_requests_are_sent_when_they_are_due_however_long_others_wait() -> None:
    begun: list[float] = []

    def slow(handler: BaseHTTPRequestHandler) -> None:
        begun.append(time.monotonic())
        time.sleep(HANGING)
        saying(b"")(handler)

    tally = sent(slow, 20, HANGING)

    assert len(tally.seconds) == tally.offered == 20
    assert max(begun) - min(begun) < 10 * HANGING  # one after the other takes twice that
    assert min(tally.seconds) >= HANGING


@pytest.mark.parametrize(
    ("behaviour", "shed", "errors"),
    [
        (saying(b"", status=503, Retry_After="2"), {503: 3}, {}),
        (saying(b"", status=429, Retry_After="2"), {429: 3}, {}),
        (saying(b"", status=503), {}, {"503": 3}),
        (saying(b"", status=500), {}, {"500": 3}),
        (lambda _: None, {}, {"ConnectionResetError: closed before its answer": 3}),
    ],
    ids=["503", "429", "503 without a time", "500", "no answer"],
)
def test_only_a_refusal_that_says_when_to_come_back_is_no_error(
    behaviour: Behaviour, shed: dict[int, int], errors: dict[str, int]
) -> None:
    tally = sent(behaviour, 3, 0.1)

    assert not tally.seconds
    assert (dict(tally.shed), dict(tally.errors)) == (shed, errors)


@pytest.mark.slow
def test_one_command_offers_too_much_and_prints_what_becomes_of_it() -> None:
    printed = bench("--overload", "--seconds", "0.1", "--sqlite-only")

    for figure in (
        "a second of the mix, closed loop",
        "sign-ins with a password a second",
        "quiet:",
        "overload:",
        "client credentials",
        "refresh",
        "p99 back to",
        "MB at most",
    ):
        assert figure in printed
