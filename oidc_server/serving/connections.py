"""Connections of uvicorn, with an end to what a request may hold, and for how long."""

from asyncio import BaseTransport, TimerHandle
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from oidc_server.serving.whole_answers import CLOSE, InOnePiece, head
from oidc_server.web import lateness
from oidc_server.web.incoming import ARRIVED_BODY
from oidc_server.web.responses import WHOLE_ANSWER, Header

MAX_HEAD = 64 * 1024
"""Bytes of a request line and headers; up to twice as many after another request in one piece."""
MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a whole request. Larger bodies than ours are read and dropped up to here, so that the
sender sees why."""
_LINGER = 1.0
"""Seconds in which what still comes is read and dropped, after the last answer, as long as it is no
more than `MAX_MESSAGE`. A connection that is closed while something of it is unread is reset, and
with it the answer."""
_MOST_LINGERING = 128
"""Connections beyond the limit that are treated so; with more of them it is not worth it."""
_SLOW = "The request took too long to arrive."
_FULL = "Too many connections are open."


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's own, which would keep a header without end, and copy it again with every piece.

    It would also wait without end for what a sender began. Here a request line with its headers has
    so many seconds from when it was due, and a body so many from then on, however it trickles.
    The figures are those of the application (`Server.bounds`). Who takes nothing of an answer for
    as long as a body may take has gone, and so has who leaves some of it until the connection is
    idle for too long.

    While the server drains, whatever it answers is the last on its connection, so that whoever
    keeps connections goes elsewhere; and at the end, what has begun to arrive is still answered.
    """

    _in_head = False
    _in_body = False
    _begun = False
    _ends = False
    _lingers = False
    _size = 0
    _awaits: Literal["head", "body"] | None = None
    _timer: TimerHandle | None = None
    _untaken: TimerHandle | None = None
    _answering: Any = None
    """Uvicorn's part of the request that was begun last; `cycle` is that which arrived last."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        app: Any = self.app
        self._bounds = app.bounds
        if len(self.connections) > self._bounds.connections:
            self._say(503, _FULL, (b"retry-after", b"2"))
            return
        self._in_head = True
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_head = self._in_body = False
        self._watch()
        self._stop_waiting_for_reader()
        self._say_no_more()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._untaken = self.loop.call_later(self._bounds.body, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_waiting_for_reader()
        super().resume_writing()

    def _stop_waiting_for_reader(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def timeout_keep_alive_handler(self) -> None:
        """Uvicorn's would wait for a reader without end: closing sends the rest first."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def data_received(self, data: bytes) -> None:
        room = MAX_HEAD - self._size
        if 0 < room < len(data) and (self._in_head or not self._begun):
            # The rest can be a body, which must not count as a part of the head.
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
            if self._waits_for_a_request():  # empty lines before one are no request
                self._in_head = True
        self._watch()

    def _waits_for_a_request(self) -> bool:
        if self._in_body:  # what still comes of a body that was answered early
            return False
        return self.timeout_keep_alive_task is None and self._is_between_requests()

    def _is_between_requests(self) -> bool:
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete is True

    def on_message_begin(self) -> None:
        self._in_head, self._in_body = True, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head, self._in_body = False, True
        scope: Any = self.scope
        scope[WHOLE_ANSWER] = piece = InOnePiece(self.cycle)
        scope[ARRIVED_BODY] = piece.body
        # The parser loses what arrives together with an offer to speak something else.
        if self._ends or self._is_draining() or self.parser.should_upgrade():
            self.cycle.keep_alive = False  # uvicorn says so in the answer (RFC 9112 §9.6)

    def _unsupported_upgrade_warning(self) -> None:
        """Nobody has to hear of it: such offers are left aside (RFC 9110 §7.8)."""

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        lateness.note_arrival(cycle.scope)
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        self._in_body, self._begun, self._size = False, False, 0
        super().on_message_complete()

    def shutdown(self) -> None:
        """Uvicorn listens no more and waits: for a request that has begun to arrive as well."""
        self._ends = True
        if not (self._begun and self._is_between_requests()):
            super().shutdown()

    def _is_draining(self) -> bool:
        app: Any = self.app
        return bool(app.runtime.lifecycle.is_draining)

    def _watch(self) -> None:
        """Set the timer for what is awaited now. A request that comes in one piece sets none."""
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
        if self._begun and self._may_say():
            self._say(408, _SLOW)
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What has arrived is no HTTP; uvicorn calls this, and would answer without any id."""
        if self.pipeline and self._in_body:
            self.pipeline.popleft()  # it waits for earlier ones, of which the last is now the last
            last = self.pipeline[0][0] if self.pipeline else self._answering
            last.keep_alive = False
            self._in_body = False
        elif self._may_say():
            self._say(400, msg)
        elif self._in_body:
            self.transport.close()
        else:
            self._in_head = False
            self.cycle.keep_alive = False  # the earlier request is answered, and that is the last

    def _may_say(self) -> bool:
        """Whether this would be neither before an answer of the application nor in the middle."""
        if self._is_between_requests():
            return True
        return self._in_body and not self.pipeline and not self.cycle.response_started

    def _say(self, status: int, detail: str, *further: Header) -> None:
        """An answer from below the application, and the end of the connection."""
        # The parent of several workers never needs it, nor what it takes along.
        from oidc_server.web.turned_away import turn_away  # noqa: PLC0415 - see above

        app: Any = self.app
        answer = turn_away(app.runtime, status, detail)
        headers = [*self.server_state.default_headers, *answer.headers, *further, CLOSE]
        self.transport.write(head(status, answer.kind.lines, headers) + answer.body)
        self._say_no_more()
        self._linger()

    def _say_no_more(self) -> None:
        """What is being answered, and what waits for its turn, has nobody to tell it to."""
        for cycle in filter(None, (self._answering, self.cycle)):
            cycle.disconnected = True
            cycle.message_event.set()

    def _linger(self) -> None:
        self._lingers = True
        self._in_head = self._in_body = False
        if len(self.connections) > self._bounds.connections + _MOST_LINGERING:
            self.transport.close()
            return
        self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)
