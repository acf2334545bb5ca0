"""Ports for the servers that a test starts."""

import itertools
import os
import secrets
import socket
from collections.abc import Iterator

# Below those that Linux gives to connections: a server that starts a little later finds it free.
_PORTS = range(10_000, 32_768)


def _turns() -> Iterator[int]:
    """Return the ports of this worker alone, one after the other, without end."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = _PORTS[worker::workers]
    first = secrets.randbelow(len(own))  # anywhere: other runs may stand beside this one
    return itertools.cycle((*own[first:], *own[:first]))


_turn = _turns()


def free_port() -> int:
    """Return a port of the loopback interface that is free, and was not returned lately."""
    return next(port for port in _turn if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
