"""Two services that know nothing of OAuth: the gateway tells them who calls.

They must be reachable through the gateway only: whoever reaches them otherwise is whom they say.
"""

import json
import threading
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import environ
from urllib.parse import unquote

HOST = "127.0.0.1"
REPORTS_PORT = int(environ.get("REPORTS_PORT", "9101"))
STOCK_PORT = int(environ.get("STOCK_PORT", "9102"))

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Reports</title>
<h1>Reports</h1>
<p>Hello <b id="person">{username}</b> ({email}), you asked for <code id="path">{path}</code>.</p>
<p>Your roles: <span id="roles">{roles}</span></p>
<form method="post"><button id="order">Order a report</button></form>
<p id="done">{done}</p>
<p><a id="account" href="/account">Your account</a></p>
</html>
"""


class Service(BaseHTTPRequestHandler):
    """What both have in common."""

    protocol_version = "HTTP/1.1"

    def who(self, name: str) -> str:
        """What the gateway says of the caller; values are percent-encoded."""
        return unquote(self.headers.get(f"X-Auth-{name}", ""))

    def answer(self, body: str, content_type: str) -> None:
        encoded = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(encoded)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *_: object) -> None:
        """The gateway has a log."""


class Reports(Service):
    """Pages for people."""

    def do_GET(self) -> None:
        self.show(done="")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.show(done="Ordered.")

    def show(self, done: str) -> None:
        told = {
            "username": self.who("Username"),
            "email": self.who("Email"),
            "roles": self.who("Roles"),
            "path": self.path,
            "done": done,
        }
        shown = {name: escape(value) for name, value in told.items()}
        self.answer(PAGE.format(**shown), "text/html; charset=utf-8")


class Stock(Service):
    """An API for programs: tells what it was told, and how much there is."""

    def do_GET(self) -> None:
        told = {name: self.who(name) for name in ("User", "Client", "Scopes", "Roles")}
        found = {"apples": 7, "caller": {name: value for name, value in told.items() if value}}
        self.answer(json.dumps(found), "application/json")


def main() -> None:
    servers = [
        ThreadingHTTPServer((HOST, REPORTS_PORT), Reports),
        ThreadingHTTPServer((HOST, STOCK_PORT), Stock),
    ]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
