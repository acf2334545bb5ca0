"""Who takes connections that come together: one by one with others, and many where many wait."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from oidc_server.serving.event_loop import EventLoop
from tests.services.deployment import Deployment

TURN = 0.01
TOGETHER = 40
ATTEMPTS = 10


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


@pytest.mark.slow
def test_connections_that_come_together_are_taken_by_all_workers(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite()
    workers = deployment.workers()
    host, port = "127.0.0.1", int(deployment.server.base_url.rpartition(":")[2])
    before = {worker: sockets(worker) for worker in workers}
    taken: list[int] = []

    for _ in range(ATTEMPTS):  # a machine that is busy may let one of them sleep
        with ExitStack() as stack:
            for _ in range(TOGETHER):
                connection = stack.enter_context(socket.create_connection((host, port)))
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                connection.settimeout(10)
                stack.callback(connection.recv, 65536)
            time.sleep(0.2)
            taken = [sockets(worker) - before[worker] for worker in workers]
        if min(taken) >= TOGETHER // 4:
            return
        time.sleep(0.2)

    raise AssertionError(taken)


def sockets(process: int) -> int:
    """How many a process has open."""
    count = 0
    for path in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            count += str(path.readlink()).startswith("socket:")
    return count
