"""What must hold for every answer, whatever was asked."""

import html
import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from starlette.routing import Match, Route

from oidc_server.web import errors
from oidc_server.web.endpoint import NOT_FOUND, NOTHING_IN_THE_API
from oidc_server.web.errors.types import PROBLEM_TYPES
from tests.fuzz.food import Request, routes
from tests.fuzz.world import World
from tests.fuzz.writes import Writes
from tests.wire import Raw, ask

SECONDS = 1.0
"""Of processor time, which every thread here takes for the one request."""
_LONGEST_WAIT = 20.0
_TRIES = 3
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
_PROBLEMS = {kind.name for kind in PROBLEM_TYPES}
_INSIDE = re.compile(
    r"traceback|File \"|\.py(?![\w-])|sqlalchemy|psycopg|sqlite3|site-packages|\bSELECT .* FROM\b",
    re.IGNORECASE,
)
_ACTION = re.compile(r'<form[^>]*\baction="([^"]*)"')
_MAY_LEAVE = {"audit_events", "attempts", "used_jtis", "idempotency_keys"}
"""What counts failures, what makes assertions good for one use, and refusals that are repeated."""
_MAY_LEAVE_AT = {
    # A code with the wrong verifier is burnt, and a grant revoked whose code or refresh token came
    # twice, with all that follows from it; a device that polls is remembered: RFC 6749 §4.1.2,
    # RFC 9700 §4.14, RFC 8628 §3.5.
    "token.token": {"grants", "refresh_tokens", "logout_deliveries", "outbox", "device_codes"},
}


class Judge:
    """Asks one question at a time, and checks the answer."""

    def __init__(self, world: World, writes: Writes, log: Callable[[], str]) -> None:
        self.world = world
        self.writes = writes
        self.log = log
        self.asked = 0

    def __call__(self, request: Request) -> Raw:
        answer = self._in_time(request)
        self.asked += 1
        changed = self.writes.take()
        route = route_of(request.path)
        if answer.status == 503 and route is not None and route.name.startswith("health."):
            return answer  # the clock of the tests is not that of the database, which it tells
        assert 200 <= answer.status < 500, (answer.status, answer.body[:500], self.log())
        self._tells_nothing(request, answer)
        self._protects(answer)
        self._leads_home(answer)
        if answer.status >= 400:
            in_its_shape(route, request, answer)
            allowed = _MAY_LEAVE | _MAY_LEAVE_AT.get(route.name if route else "", set())
            assert changed <= allowed, f"a refused request changed {sorted(changed - allowed)}"
        elif "error=" in (answer.header("location") or ""):
            assert changed <= _MAY_LEAVE, f"an error left {sorted(changed)}"
        return answer

    def _in_time(self, request: Request) -> Raw:
        """A collection of garbage may fall into a request once, not three times in a row."""
        taken = []
        for _ in range(_TRIES):
            self.writes.take()
            begun, worked = time.perf_counter(), time.process_time()
            answer = ask(
                self.world.site,
                request.method,
                request.target,
                headers=request.headers,
                body=request.body,
            )
            taken.append(time.process_time() - worked)
            if taken[-1] < SECONDS and time.perf_counter() - begun < _LONGEST_WAIT:
                return answer
        raise AssertionError(f"it takes {min(taken):.2f} seconds")

    def _tells_nothing(self, request: Request, answer: Raw) -> None:
        told = answer.body.decode("utf-8", "replace") + repr(answer.headers)
        if answer.status >= 400:
            assert not _INSIDE.search(told), told
            sent = unquote_plus(request.target + request.body.decode("latin-1"))
            for secret in self.world.secrets:
                # A form that is shown again holds what was typed into it.
                assert secret not in told or secret in sent, "a refusal shows a secret"
        log = self.log()
        assert "Traceback" not in log, log
        for secret in self.world.secrets:
            assert secret not in log, "the log holds a secret"

    def _protects(self, answer: Raw) -> None:
        for name in ("x-content-type-options", "content-security-policy", "x-request-id"):
            assert len(answer.all(name)) == 1, (name, answer.headers)
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("strict-transport-security")
        for name, value in answer.headers:
            assert not set("\r\n\0") & set(name + value), (name, value)
        if "*" in answer.all("access-control-allow-origin"):
            assert not answer.all("access-control-allow-credentials")

    def _leads_home(self, answer: Raw) -> None:
        """A redirect goes to an address of ours, or to one that the client registered."""
        places = answer.all("location")
        assert len(places) < 2
        if "text/html" in (answer.header("content-type") or ""):
            places += [html.unescape(action) for action in _ACTION.findall(answer.text)]
        for place in places:
            assert self._is_ours(place) or self._is_registered(place), place

    def _is_ours(self, place: str) -> bool:
        if not place.startswith("/") or place.startswith(("//", "/\\")):
            return False
        return route_of(place.partition("?")[0]) is not None

    def _is_registered(self, place: str) -> bool:
        return any(
            place == uri or place.startswith((uri + "?", uri + "#", uri + "&"))
            for uri in self.world.redirect_uris
        )


def route_of(path: str) -> Route | None:
    scope = {"type": "http", "path": path, "method": "GET", "root_path": ""}
    return next((route for route in routes() if route.matches(scope)[0] is not Match.NONE), None)


def in_its_shape(route: Route | None, request: Request, answer: Raw) -> None:
    """An OAuth error from an endpoint for programs, a page from one for people."""
    nothing = NOTHING_IN_THE_API if request.path.startswith("/api/") else NOT_FOUND
    endpoint: Any = route.endpoint if route else nothing
    if endpoint._shape not in (errors.as_oauth, errors.as_page, errors.as_problem):
        assert answer.header("content-type") == "application/json"
        return
    assert answer.header("cache-control") == "no-store"
    if request.method == "HEAD":
        assert answer.body == b""
    elif endpoint._shape is errors.as_oauth:
        assert answer.header("content-type") == "application/json"
        body = json.loads(answer.body)
        assert re.fullmatch("[a-z_]+", body["error"])
        assert _DESCRIPTION.fullmatch(body["error_description"])
        if answer.status == 401:
            assert answer.header("www-authenticate")
    elif endpoint._shape is errors.as_problem:
        assert answer.header("content-type") == "application/problem+json"
        body = json.loads(answer.body)
        assert body["status"] == answer.status
        assert body["type"].partition("/problems/")[2] in _PROBLEMS
        if answer.status == 401:
            assert answer.header("www-authenticate")
    else:
        assert answer.header("content-type") == "text/html; charset=utf-8"
        assert "<h1" in answer.text
