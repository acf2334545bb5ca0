"""Requests with an `Upgrade` header: the header is ignored, the body is read (RFC 9110 §7.8)."""

from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser

_FRAMING = (b"content-length", b"transfer-encoding")


class Parser(HttpRequestParser):
    """An httptools parser that does not take the body of such a request for the other protocol.

    Java's client sends the header, for HTTP/2, with the first request of every connection without
    TLS.

    `on_message_complete` is called twice: see `has_body_ahead`. What follows the body is dropped.
    """

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._protocol = protocol
        self._body: _Body | None = None

    def has_body_ahead(self) -> bool:
        """Whether `on_message_complete` is called for the head only."""
        return bool(self.should_upgrade()) and self._body is None

    def feed_data(self, data: Any) -> None:
        """Raises `HttpParserError`, as httptools does."""
        if self._body is not None:
            self._body.feed_data(data)
            return
        try:
            super().feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._body = _Body(self._protocol)
            self._body.begin()
            self._body.feed_data(data[upgrade.args[0] :])


class _Body:
    """Reads the body of a request whose head has been read."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._is_read = False
        self._parser = HttpRequestParser(self)

    def begin(self) -> None:
        """Read how long it is. Without a body, the request ends here."""
        framing = [b": ".join(line) for line in self._protocol.headers if line[0] in _FRAMING]
        self._parser.feed_data(b"\r\n".join([b"POST / HTTP/1.1", *framing, b"", b""]))

    def feed_data(self, data: bytes) -> None:
        if not self._is_read:
            self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if not self._is_read:
            self._protocol.on_body(body)

    def on_message_complete(self) -> None:
        if not self._is_read:
            self._is_read = True
            self._protocol.on_message_complete()
