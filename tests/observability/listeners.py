"""Real collectors on this machine: of traces (OTLP over HTTP), and of errors (Sentry)."""

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Listener:
    """Takes whatever is posted, unpacked."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, bytes]] = []
        posted = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                posted.append((self.path, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class TraceCollector(Listener):
    def spans(self, trace_id: str) -> list[Any]:
        """The spans of one trace that have come so far."""
        return [
            span
            for path, body in self.posted
            if path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if span.trace_id.hex() == trace_id
        ]

    def wait_for(self, trace_id: str, name: str) -> list[Any]:
        """All spans of a trace, as soon as the one of that name is among them."""
        deadline = time.monotonic() + 30
        while name not in {span.name for span in self.spans(trace_id)}:
            assert time.monotonic() < deadline, f"no span {name}"
            time.sleep(0.05)
        return self.spans(trace_id)


class ErrorCollector(Listener):
    def events(self) -> list[dict[str, Any]]:
        """The errors that have come so far."""
        return [
            json.loads(line)
            for _, body in self.posted
            for line in body.splitlines()
            if line.startswith(b"{") and b'"exception"' in line
        ]

    def wait_for_event(self) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while not (found := self.events()):
            assert time.monotonic() < deadline, self.posted
            time.sleep(0.05)
        return found[-1]
