"""Who takes connections that come together: one by one with others, and many where many wait."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from oidc_server.serving.event_loop import EventLoop

TURN = 0.01


class Slow(asyncio.Protocol):
    """Each connection makes a turn of its own length longer, and is answered."""

    def __init__(self, turns: list[float]) -> None:
        self._turns = turns

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._turns.append(asyncio.get_running_loop().time())  # it stands still within a turn

    def data_received(self, data: bytes) -> None:
        time.sleep(TURN)
        self._transport.write(data)  # type: ignore[attr-defined]


def taken_in_each_turn(*bursts: int) -> list[list[int]]:
    """How many of so many connections, which wait already, a loop takes in one turn after another.

    Each burst comes when all before it have been answered.
    """
    loop = EventLoop()
    turns: list[float] = []

    async def take_all(listener: socket.socket) -> list[list[int]]:
        server = await loop.create_server(lambda: Slow(turns), sock=listener)
        found = []
        for burst in bursts:
            turns.clear()
            with ExitStack() as stack:
                connections = [
                    stack.enter_context(socket.create_connection(listener.getsockname()))
                    for _ in range(burst)
                ]
                for connection in connections:
                    connection.sendall(b"x")
                    connection.setblocking(False)
                for connection in connections:
                    assert await loop.sock_recv(connection, 1) == b"x"
            found.append(list(Counter(turns).values()))
            await asyncio.sleep(TURN)
        server.close()
        return found

    try:
        with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
            return loop.run_until_complete(take_all(listener))
    finally:
        loop.close()


def test_more_are_taken_in_each_turn_in_which_more_wait_and_one_when_that_is_over() -> None:
    many, few = taken_in_each_turn(60, 8)

    assert (many[0], sum(many)) == (1, 60)
    assert len(many) < 15
    assert len(few) >= 4


class Idle(asyncio.Protocol):
    """Each connection stays open and is counted."""

    def __init__(self, connections: list[asyncio.BaseTransport]) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.append(transport)


@contextmanager
def listening(listener: socket.socket) -> Iterator[tuple[EventLoop, list[asyncio.BaseTransport]]]:
    """A loop that takes connections from a socket on which others listen too, as workers do."""
    loop = EventLoop()
    connections: list[asyncio.BaseTransport] = []
    server = loop.run_until_complete(
        loop.create_server(lambda: Idle(connections), sock=listener.dup())
    )
    yield loop, connections
    for transport in (server, *connections):
        transport.close()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_connections_that_come_together_are_taken_by_all_loops_that_listen() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=200))
        listeners = [stack.enter_context(listening(listener)) for _ in range(2)]
        for _ in range(8):
            stack.enter_context(socket.create_connection(listener.getsockname()))

        for _ in range(8):
            for loop, _connections in listeners:
                loop.call_soon(loop.stop)
                loop.run_forever()
        taken = [len(connections) for _loop, connections in listeners]

        assert (sum(taken), min(taken) >= 3) == (8, True), taken
