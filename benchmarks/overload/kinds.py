"""What is asked: journeys of people with a password, and single requests of programs."""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from itertools import count
from urllib.parse import urlencode, urlsplit

from benchmarks.overload.connection import Answer
from benchmarks.overload.sender import Journey
from benchmarks.peer.sides import FORM, Side
from benchmarks.stage import REDIRECT_URI
from tests.factories import Person

SIGN_IN = "sign-in with a password"
MIX = {
    SIGN_IN: 2,
    "client credentials": 24,
    "refresh": 24,
    "userinfo": 25,
    "introspection": 25,
}
"""Of a hundred that begin."""
TOKENS = {name: share for name, share in MIX.items() if name != SIGN_IN}
PASSWORDS = {SIGN_IN: 1}

_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_ATTRIBUTE = r'\b%s="([^"]*)"'
_ACTION = re.compile(r'<form[^>]*\baction="([^"]*)"')


@dataclass(frozen=True)
class World:
    """All that is needed to ask a server, so that a process of its own can do it."""

    port: int
    people: list[Person]
    authorize: str
    service: str
    """Its Authorization header; `web` is that of the application with the refresh tokens."""
    web: str
    access_tokens: list[str]
    refresh_tokens: list[str]

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def request(
        self, method: str, path: str, headers: Mapping[str, str] = {}, body: str = ""
    ) -> bytes:
        sent = {"Host": self.host, **headers}
        if method == "POST":
            sent |= {"Content-Type": FORM, "Content-Length": str(len(body))}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {one}" for name, one in sent.items())]
        return "\r\n".join([*lines, "", body]).encode()


def world_of(side: Side, tokens: int) -> World:
    """People who are signed in already have given so many applications access."""
    found = side.tokens("web ES256", tokens)
    return World(
        port=side.port,
        people=side.people,
        authorize=side.authorize_path("web ES256"),
        service=side.basic("service"),
        web=side.basic("web ES256"),
        access_tokens=[str(one["access_token"]) for one in found],
        refresh_tokens=[str(one["refresh_token"]) for one in found],
    )


def kinds(world: World) -> dict[str, Callable[[], Journey]]:
    """Makers of journeys by the names in `MIX`."""
    numbers = count()
    refresh_tokens = deque(world.refresh_tokens)
    asking = {"Authorization": world.service}

    def access_token() -> str:
        return world.access_tokens[next(numbers) % len(world.access_tokens)]

    def introspection() -> bytes:
        return world.request("POST", "/introspect", asking, urlencode({"token": access_token()}))

    credentials = world.request("POST", "/token", asking, "grant_type=client_credentials")
    return {
        SIGN_IN: lambda: _sign_in(world, world.people[next(numbers) % len(world.people)]),
        "client credentials": lambda: _one(credentials, b'"access_token"'),
        "refresh": lambda: _refresh(world, refresh_tokens),
        "userinfo": lambda: _one(
            world.request("GET", "/userinfo", {"Authorization": f"Bearer {access_token()}"}),
            b'"sub"',
        ),
        "introspection": lambda: _one(introspection(), b'"active":true'),
    }


def _one(request: bytes, expected: bytes) -> Journey:
    """A request whose answer has something in it."""
    answer = yield request
    return None if answer.status == 200 and expected in answer.body else _told(answer)


def _refresh(world: World, tokens: deque[str]) -> Journey:
    """The token that waited longest; its successor, or the token itself after a refusal, waits."""
    if not tokens:
        return "too few refresh tokens to ask so often"
    token = tokens.popleft()
    try:
        fields = urlencode({"grant_type": "refresh_token", "refresh_token": token})
        answer = yield world.request("POST", "/token", {"Authorization": world.web}, fields)
        if answer.status != 200:
            return _told(answer)
        token = str(json.loads(answer.body)["refresh_token"])
        return None
    finally:
        tokens.append(token)


def _sign_in(world: World, person: Person) -> Journey:
    """From the authorization request over the page and its form to the code."""
    cookies: dict[str, str] = {}
    answer = yield world.request("GET", world.authorize)
    while (place := _inside(world, answer, cookies)) is not None:
        answer = yield world.request("GET", place, _carrying(cookies))
    if answer.status != 200:
        return _told(answer)
    page = answer.body.decode()
    hidden = {_of(tag, "name"): _of(tag, "value") for tag in _HIDDEN.findall(page)}
    fields = {**hidden, "username": person.username, "password": person.password}
    origin = {"Origin": f"http://{world.host}", "Sec-Fetch-Site": "same-origin"}
    [action] = _ACTION.findall(page)[:1]
    answer = yield world.request(
        "POST", unescape(action), {**_carrying(cookies), **origin}, urlencode(fields)
    )
    while (place := _inside(world, answer, cookies)) is not None:
        answer = yield world.request("GET", place, _carrying(cookies))
    location = answer.header("location") or ""
    return None if location.startswith(REDIRECT_URI) and "code=" in location else _told(answer)


def _inside(world: World, answer: Answer, cookies: dict[str, str]) -> str | None:
    """Where a redirect leads, while that is on the server; keeps the cookies."""
    for header in answer.headers("set-cookie"):
        name, _, value = header.partition(";")[0].partition("=")
        cookies[name] = value
    parts = urlsplit(answer.header("location") or "")
    if answer.status != 303 or parts.netloc not in ("", world.host):
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _carrying(cookies: Mapping[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def _of(tag: str, name: str) -> str:
    found = re.search(_ATTRIBUTE % name, tag)
    return unescape(found[1]) if found else ""


def _told(answer: Answer) -> str:
    where = answer.header("location") or ""
    return f"{answer.status} {where[:60]}{answer.body[:120].decode(errors='replace')}"
