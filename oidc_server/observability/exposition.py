"""Serves metrics to Prometheus, by a listener in one process of each node.

With one worker it shows the metrics of that process. With several it runs in their parent, and adds
up the files in which the workers count; the counts of a dead worker are kept.
"""

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from oidc_server.observability.metrics import REGISTRY

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_GONE = 0
"""The process id under which counts of dead workers are kept; no process has it."""
_TIMEOUT = 10
_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there has a name that nobody foresees
_ROOM = 16 << 20
"""Bytes that must be free there: more than many workers ever need."""


class WorkerFiles:
    """The folder with the metrics files of the workers."""

    def __init__(self) -> None:
        """Make it, and tell the workers that begin after this."""
        self.path = Path(tempfile.mkdtemp(prefix="oidc-metrics-", dir=_memory()))
        os.environ[_FOLDER] = str(self.path)
        self._guard = threading.Lock()

    def registry(self) -> CollectorRegistry:
        """What all of them have counted, and those before them."""
        with self._guard:
            self._bury()
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self.path))
        return registry

    def remove(self) -> None:
        """Remove it when the last worker has ended."""
        os.environ.pop(_FOLDER, None)
        shutil.rmtree(self.path, ignore_errors=True)

    def _bury(self) -> None:
        """Merge the files of dead workers into one, so that they do not pile up with restarts."""
        for path in self.path.glob("*.db"):
            kind, _, process = path.stem.rpartition("_")
            if int(process) == _GONE or _lives(int(process)):
                continue
            if not kind.startswith("gauge_"):  # what a dead worker does is nothing
                _add(path, self.path / f"{kind}_{_GONE}.db")
            path.unlink()


def _memory() -> Path | None:
    """A folder that is no disk, where there is one: the files are mapped.

    Who writes to a mapped page that a full disk has no room for is ended by the system (SIGBUS).
    """
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return None
    is_good = os.access(_MEMORY, os.W_OK) and room.f_bavail * room.f_frsize >= _ROOM
    return _MEMORY if is_good else None


def _lives(process: int) -> bool:
    """Whether a worker still runs; a zombie that its parent has not reaped yet counts too."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _add(source: Path, target: Path) -> None:
    total = MmapedDict(str(target))
    try:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(source)):
            so_far, _ = total.read_value(key)
            total.write_value(key, so_far + value, 0.0)
    finally:
        total.close()


@dataclass(frozen=True)
class Level:
    """A gauge, as measured at this moment."""

    name: str
    meaning: str
    labels: Mapping[str, str]
    value: float


class Levels(Collector):
    """Gauges that are measured on each scrape, by one scrape at a time."""

    def __init__(self, measure: Callable[[], Iterable[Level]]) -> None:
        self._measure = measure
        self._guard = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        with self._guard:
            measured = list(self._measure())
        for level in measured:
            family = families.get(level.name)
            if family is None:
                family = families[level.name] = GaugeMetricFamily(
                    level.name, level.meaning, labels=list(level.labels)
                )
            family.add_metric(list(level.labels.values()), level.value)
        yield from families.values()

    def describe(self) -> Iterator[Metric]:
        """Nothing: describing them would mean measuring them."""
        return iter(())


class Listener:
    """Serves `GET /metrics` at an address of its own, without authentication."""

    def __init__(
        self,
        host: str,
        port: int,
        measure: Callable[[], Iterable[Level]],
        files: WorkerFiles | None,
    ) -> None:
        """Raises `OSError` if the address cannot be listened on."""
        self._levels = CollectorRegistry()
        self._levels.register(Levels(measure))
        self._files = files
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        kind = type("_Server", (ThreadingHTTPServer,), {"address_family": family})
        handler = type("_Handler", (_Handler,), {"listener": self})
        self._server = kind((host, port), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )
        self._thread.start()

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        counted = REGISTRY if self._files is None else self._files.registry()
        return generate_latest(counted) + generate_latest(self._levels)

    def close(self) -> None:
        """End; called once."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    listener: Listener
    timeout = _TIMEOUT
    server_version = "metrics"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        body = self.listener.text()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log no scrapes."""
