"""Connections of uvicorn, with limits on the size of a request and the time that it may take."""

from asyncio import BaseTransport, TimerHandle
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from oidc_server.serving.upgrade_offers import Parser
from oidc_server.serving.whole_answers import CLOSE, InOnePiece, head
from oidc_server.web.incoming import ARRIVED_BODY
from oidc_server.web.load import lateness
from oidc_server.web.responses import WHOLE_ANSWER, Header

MAX_HEAD = 64 * 1024
"""Bytes of request line and headers; up to twice as many when requests are pipelined."""
MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a whole request. A body that is refused as too large is read and dropped up to here, so
that the sender gets to read the response."""
_LINGER = 1.0
"""Seconds after the last response in which further data is read and dropped, up to `MAX_MESSAGE`.
Closing a connection with unread data resets it, and the sender may never see the response."""
_MOST_LINGERING = 128
"""Connections beyond the limit that may linger; any further ones are closed at once."""
_SLOW = "The request took too long to arrive."
_FULL = "Too many connections are open."


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that it lacks (`Server.bounds`), against slow clients.

    uvicorn buffers headers of any size, and waits for a request for any time. Here the head of a
    request has a size limit, and head and body have a deadline each, however slowly they trickle
    in. A client that reads nothing of a response for as long as a body may take is disconnected.

    While the server drains, each response closes its connection, so that clients and proxies with
    keep-alive go elsewhere. A request that has begun to arrive is still answered.
    """

    _in_head = False
    _in_body = False
    _begun = False
    _ends = False
    _lingers = False
    _size = 0
    _awaits: Literal["head", "body"] | None = None
    _timer: TimerHandle | None = None
    _unread_timer: TimerHandle | None = None
    _answering: Any = None
    """The `RequestResponseCycle` that was started last; `cycle` is the one that arrived last."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        app: Any = self.app
        self._bounds = app.bounds
        self.parser = Parser(self)
        if len(self.connections) > self._bounds.connections:
            self._respond(503, _FULL, (b"retry-after", b"2"))
            return
        self._in_head = True
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_head = self._in_body = False
        self._watch()
        self._cancel_unread_timer()
        self._disconnect_application()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self._bounds.body, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel_unread_timer()
        super().resume_writing()

    def _cancel_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; abort it if the client has not read the last response."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def data_received(self, data: bytes) -> None:
        room = MAX_HEAD - self._size
        if 0 < room < len(data) and (self._in_head or not self._begun):
            # The rest may belong to the body, which does not count towards the limit of the head.
            self.data_received(data[:room])
            self.data_received(data[room:])
            return
        self._size += len(data)
        if self._lingers:
            if self._size > MAX_MESSAGE:
                self.transport.abort()
            return
        self._begun = True
        if self._in_head and self._size > MAX_HEAD:
            self.send_400_response("The request line and its headers are too long.")
        elif self._size > MAX_MESSAGE:
            self.transport.abort()
        else:
            super().data_received(data)
            if self._waits_for_a_request():  # so far only empty lines
                self._in_head = True
        self._watch()

    def _waits_for_a_request(self) -> bool:
        if self._in_body:  # the rest of a body that was answered early
            return False
        return self.timeout_keep_alive_task is None and self._is_between_requests()

    def _is_between_requests(self) -> bool:
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete is True

    def on_message_begin(self) -> None:
        self._in_head, self._in_body = True, False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:  # else it is a trailer, which is no header (RFC 9110 §6.5.1)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head, self._in_body = False, True
        scope: Any = self.scope
        scope[WHOLE_ANSWER] = piece = InOnePiece(self.cycle, self)
        scope[ARRIVED_BODY] = piece.body
        # After an `Upgrade` header, whatever follows the request is dropped.
        if self._ends or self._is_draining() or self.parser.should_upgrade():
            self.cycle.keep_alive = False  # so uvicorn sends `Connection: close` (RFC 9112 §9.6)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        lateness.note_arrival(cycle.scope)
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        parser: Any = self.parser
        if parser.has_body_ahead():
            return
        self._in_body, self._begun, self._size = False, False, 0
        super().on_message_complete()

    def shutdown(self) -> None:
        """Close the connection when idle; a request that has begun to arrive is answered first."""
        self._ends = True
        if not (self._begun and self._is_between_requests()):
            super().shutdown()

    def _is_draining(self) -> bool:
        app: Any = self.app
        return bool(app.runtime.lifecycle.is_draining)

    def _watch(self) -> None:
        """Set the timer for the part that is awaited; none for a request that comes at once."""
        awaited: Literal["head", "body"] | None = (
            "head" if self._in_head else "body" if self._in_body else None
        )
        if awaited == self._awaits:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._awaits = awaited
        if awaited is not None:
            seconds = self._bounds.head if awaited == "head" else self._bounds.body
            self._timer = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self.transport.is_closing() or self._lingers:
            return
        if self._begun and self._may_respond():
            self._respond(408, _SLOW)
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer data that is no HTTP. Called by uvicorn, whose own response has no request id."""
        if self.pipeline and self._in_body:
            self.pipeline.popleft()  # the broken request waits for earlier ones: drop it
            last = self.pipeline[0][0] if self.pipeline else self._answering
            last.keep_alive = False
            self._in_body = False
        elif self._may_respond():
            self._respond(400, msg)
        elif self._in_body:
            self.transport.close()
        else:
            self._in_head = False
            self.cycle.keep_alive = False  # close the connection after the earlier request

    def _may_respond(self) -> bool:
        """Whether a response would neither overtake nor interrupt one of the application."""
        if self._is_between_requests():
            return True
        return self._in_body and not self.pipeline and not self.cycle.response_started

    def _respond(self, status: int, detail: str, *further: Header) -> None:
        """Send a response without the application, and end the connection."""
        # Imported late: the parent of several workers never needs it.
        from oidc_server.web.turned_away import turn_away  # noqa: PLC0415 - see above

        app: Any = self.app
        answer = turn_away(app.runtime, status, detail)
        headers = [*self.server_state.default_headers, *answer.headers, *further, CLOSE]
        self.transport.write(head(status, answer.kind.lines, headers) + answer.body)
        self._disconnect_application()
        self._linger()

    def _disconnect_application(self) -> None:
        """Tell the running and the waiting request that the client has gone."""
        for cycle in filter(None, (self._answering, self.cycle)):
            cycle.disconnected = True
            cycle.message_event.set()

    def close_after(self, cycle: Any) -> None:
        """Close after the last response. If its request is still arriving, read on for a while.

        Otherwise the connection is reset, and the client may never see the response.
        """
        if self._in_body and cycle is self.cycle:
            self._linger()
        else:
            self.transport.close()

    def _linger(self) -> None:
        self._lingers = True
        self._in_head = self._in_body = False
        if len(self.connections) > self._bounds.connections + _MOST_LINGERING:
            self.transport.close()
            return
        self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)
