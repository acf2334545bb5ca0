"""Connections of uvicorn, with an end to what a request may hold."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
"""Bytes of a request line and headers, beyond the first ones that are read at once."""
MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a whole request. Larger bodies than ours are read and dropped up to here, so that the
sender sees why."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's own, which would keep a header without end, and copy it again with every piece."""

    _in_head = False
    _size = 0

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        if self._in_head and self._size > MAX_HEAD:
            self.send_400_response("The request line and its headers are too long.")
        elif self._size > MAX_MESSAGE:
            self.transport.abort()
        else:
            super().data_received(data)

    def on_message_begin(self) -> None:
        self._in_head, self._size = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
