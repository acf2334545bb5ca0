"""A real nginx with a configuration of ours, run by a user who may do nothing."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services import run

MISSING = "no nginx: install the Debian package nginx"
_PATIENCE = 60.0
_NOBODY = "nobody"
_AROUND = """
pid written/nginx.pid;
error_log stderr warn;
daemon off;
events {{ }}
http {{
    access_log off;
    client_body_temp_path written/body;
    proxy_temp_path written/proxy;
    fastcgi_temp_path written/fastcgi;
    uwsgi_temp_path written/uwsgi;
    scgi_temp_path written/scgi;
    {servers}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """One nginx. It writes into `folder`."""

    folder: Path
    port: int

    @property
    def access_log(self) -> str:
        return (self.folder / "written" / "access.log").read_text()


Start = Callable[[Path, int, Mapping[str, str]], AbstractContextManager[Nginx]]
"""Start nginx with the configuration in a folder, on a port, with some of its words replaced."""


@pytest.fixture(scope="session")
def nginx() -> Start:
    """How to run an nginx; skips the test where there is none."""
    if shutil.which("nginx") is None:
        pytest.skip(MISSING)
    return _running


@contextmanager
def _running(configuration: Path, port: int, words: Mapping[str, str]) -> Iterator[Nginx]:
    folder = run.folder() / f"nginx-{port}"
    shutil.copytree(configuration, folder, ignore=shutil.ignore_patterns("written"))
    (folder / "written").mkdir()
    for file in folder.glob("*.conf"):
        text = file.read_text()
        for word, other in words.items():
            text = text.replace(word, other)
        file.write_text(text)
    who = pwd.getpwnam(_NOBODY) if os.geteuid() == 0 else None
    if who is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, who.pw_uid, who.pw_gid)
    with (run.folder() / f"nginx-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            ["nginx", "-e", "stderr", "-p", str(folder), "-c", "nginx.conf"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=None if who is None else who.pw_uid,
            group=None if who is None else who.pw_gid,
            extra_groups=None if who is None else [],
        )
    try:
        _wait(process, port, Path(log.name))
        yield Nginx(folder, port)
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def around(servers: str) -> str:
    """A whole configuration with these servers, which writes below its own folder alone."""
    return _AROUND.format(servers=servers)
