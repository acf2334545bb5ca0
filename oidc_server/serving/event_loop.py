"""The event loop of a worker: how many connections it accepts in one turn."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvloop

_MOST = 16
"""Connections that are accepted in one turn at most. Under load turns are long, and a connection
has to be accepted before it can be refused."""

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class EventLoop(uvloop.Loop):
    """uvloop, which accepts one connection per turn; here more while connections keep coming.

    All workers listen on one socket. If each accepted sixteen at once, a few connections that are
    opened together would all go to the first worker that looks, and stay there (ADR 0028).
    """

    async def create_server(
        self,
        protocol_factory: ProtocolFactory,
        host: Any = None,
        port: Any = None,
        *,
        sock: socket.socket | None = None,
        **options: Any,
    ) -> Any:
        """The same as in asyncio."""
        if sock is not None:
            sock.setblocking(False)
            protocol_factory = _Acceptor(self, sock, protocol_factory)
        return await super().create_server(protocol_factory, host, port, sock=sock, **options)


class _Acceptor:
    """Makes the protocol of each connection that the loop has accepted, and accepts more with it.

    It accepts 0 more in the first turn, then 1, 3, 7 and 15, while the loop accepts one per turn.
    """

    def __init__(
        self, loop: EventLoop, listener: socket.socket, make_protocol: ProtocolFactory
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._make_protocol = make_protocol
        self._extra = 0
        self._watches = False
        self._found = False
        """Whether the loop has accepted a connection in this turn."""

    def __call__(self) -> asyncio.BaseProtocol:
        extra, self._found = self._extra, True
        self._extra = min(2 * extra + 1, _MOST - 1)
        if not self._watches:
            self._watches = True
            self._loop.call_soon(self._end_turn)
        for _ in range(extra):
            try:
                connection, _address = self._listener.accept()
            except OSError:  # no connection waits, or no file descriptor is left
                break
            connection.setblocking(False)
            self._loop.create_task(self._take(connection))
        return self._make_protocol()

    async def _take(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make_protocol, connection)
        except OSError:  # the other side has closed it meanwhile
            connection.close()

    def _end_turn(self) -> None:
        """Called at the end of each turn, until the loop has accepted none in it."""
        self._watches = self._found
        if self._found:
            self._found = False
            self._loop.call_soon(self._end_turn)
        else:
            self._extra = 0
