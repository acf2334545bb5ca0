"""Whatever the tests do, no secret gets into a log: what is written is looked through at the end.

What clients were given in answers is remembered by the clients that tests use. The logs of servers
in processes of their own are looked through when they end, the lines of servers in this process
when the run does.
"""

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from oidc_server.observability import logs
from tests.services import run

_GIVEN = (
    *("access_token", "refresh_token", "id_token", "client_secret", "device_code"),
    *("user_code", "registration_access_token", "secret", "recovery_codes", "request_uri"),
)
_PARAMETER = re.compile(r"[?&#](?:code|request_uri|link|token|id_token)=([^&#]+)")
_LOOKS_SECRET = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\."  # a JWT
    r"|\$argon2|\$2[aby]\$"
    r"|PRIVATE KEY"
    r"|(?i:\b(?:basic|bearer|dpop) [\w.~+/=-]{16,})"
    r"|a secret of the tests|a long enough passphrase"
)
_WORD = re.compile(r"[\w.~-]{16,}")
_SHORTEST = 16
_TO_THE_TERMINAL = "Set it up, once: "
"""How the line begins that only whoever starts the server reads."""

_remembered: set[str] = set()


def remember(response: httpx2.Response) -> None:
    """Keep what an answer gives to its client: tokens, codes, secrets, cookies."""
    for header in response.headers.get_list("set-cookie"):
        _keep(header.partition(";")[0].partition("=")[2])
    for value in _PARAMETER.findall(response.headers.get("location", "")):
        _keep(value)
    if "json" in response.headers.get("content-type", ""):
        try:
            body = json.loads(response.read())
        except ValueError:
            return
        if isinstance(body, dict):
            for name in _GIVEN:
                _keep(body.get(name))


def _keep(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _keep(item)
    elif isinstance(value, str) and len(own := value.rpartition(":")[2]) >= _SHORTEST:
        _remembered.add(own)


def check(log: str) -> None:
    """Fail if a log holds what looks like a secret, or one that was given to a client."""
    lines = [line for line in log.splitlines() if not line.startswith(_TO_THE_TERMINAL)]
    bad = [line for line in lines if _LOOKS_SECRET.search(line)]
    if not _remembered.isdisjoint(_WORD.findall(log)):
        bad += [line for line in lines if not _remembered.isdisjoint(_WORD.findall(line))]
    assert not bad, "a log holds a secret:\n" + "\n".join(dict.fromkeys(bad[:10]))


@contextmanager
def restored_logging() -> Iterator[None]:
    """Put back what the block changes of the way that lines take."""
    names = (None, "oidc_server", "uvicorn", "uvicorn.error", "uvicorn.access", *logs._TALKATIVE)
    loggers = [logging.getLogger(name) for name in names]
    before = [(one, one.level, list(one.handlers), one.propagate, one.disabled) for one in loggers]
    output = logs._output
    logs._output = None  # or it would be closed by the next
    try:
        yield
    finally:
        logs._output = output
        for logger, level, handlers, propagate, disabled in before:
            logger.setLevel(level)
            logger.handlers[:] = handlers
            logger.propagate, logger.disabled = propagate, disabled


@pytest.fixture(scope="session", autouse=True)
def _looked_through() -> Iterator[None]:
    """Write what servers in this process say, at their most talkative, and look it through."""
    path = run.folder() / f"lines-{os.getpid()}.log"
    with path.open("w+") as stream:
        with restored_logging():
            logs.configure("debug", "json", stream)
            yield
        stream.seek(0)
        check(stream.read())
