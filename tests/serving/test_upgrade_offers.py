"""A request with an `Upgrade` header is read like the same request without, however it arrives."""

import pytest
from httptools import HttpParserError, HttpRequestParser

from oidc_server.serving.upgrade_offers import Parser

OFFER = b"upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AA\r\n"
NEXT = b"GET /next HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx"
POST = b"POST /token HTTP/1.1\r\nhost: a\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n"
REQUESTS = {
    "no body": POST + b"\r\n",
    "an empty body": POST + b"content-length: 0\r\n\r\n",
    "a length": POST + b"content-length: 11\r\n\r\nabc\r\n\r\ndefg",
    "chunks": CHUNKED + b"\r\n3\r\nabc\r\n8\r\n\r\n\r\ndefg\r\n0\r\n\r\n",
    "chunks with a trailer": CHUNKED + b"\r\n3\r\nabc\r\n0\r\nx-end: yes\r\n\r\n",
    "a body that looks like a request": POST + b"content-length: 26\r\n\r\n" + NEXT[:26],
}


class Heard:
    """What a parser reports of the first request, and of what follows it."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.ends = 0
        self.parser: HttpRequestParser | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.ends:
            self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        if not self.ends:
            self.body += body

    def on_message_complete(self) -> None:
        if not (isinstance(self.parser, Parser) and self.parser.has_body_ahead()):
            self.ends += 1


def read(kind: type[HttpRequestParser], pieces: list[bytes]) -> Heard:
    heard = Heard()
    heard.parser = kind(heard)
    for piece in pieces:
        heard.parser.feed_data(piece)
    return heard


@pytest.mark.parametrize("name", REQUESTS)
def test_the_body_is_the_same_wherever_the_pieces_end(name: str) -> None:
    plain = REQUESTS[name]
    offering = plain.replace(b"\r\n", b"\r\n" + OFFER, 1)
    expected = read(HttpRequestParser, [plain]).body

    for end in range(len(offering)):
        heard = read(Parser, [offering[:end], offering[end:]])
        assert (heard.body, heard.ends) == (expected, 1), end
    assert read(Parser, [offering[place : place + 1] for place in range(len(offering))]).body == (
        expected
    )


@pytest.mark.parametrize("name", REQUESTS)
def test_what_follows_is_no_request(name: str) -> None:
    offering = REQUESTS[name].replace(b"\r\n", b"\r\n" + OFFER, 1)

    together = read(Parser, [offering + NEXT])
    after = read(Parser, [offering, NEXT, NEXT])

    assert together.ends == after.ends == 1
    assert together.body == after.body == read(HttpRequestParser, [REQUESTS[name]]).body


@pytest.mark.parametrize("body", [b"nothing\r\n", b"-1\r\n", b"3\r\nabcd\r\n0\r\n\r\n"])
def test_chunks_that_are_none_are_refused(body: bytes) -> None:
    offering = CHUNKED + OFFER + b"\r\n" + body

    with pytest.raises(HttpParserError):
        read(Parser, [offering])


def test_without_an_offer_one_request_follows_another() -> None:
    heard = read(Parser, [REQUESTS["a length"] + NEXT + NEXT])

    assert heard.ends == 3
