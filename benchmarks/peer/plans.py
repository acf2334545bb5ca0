"""What is sent to a server, written down so that the sender needs to know nothing."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlencode

from benchmarks.peer.sides import FORM, VERIFIER, Side
from benchmarks.stage import REDIRECT_URI

UNIQUE = "{n}"
"""Stands for something that no other request carries; only where a plan is `counted`."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class FollowUp:
    """What comes after an answer: `before`, what was found in the answer, `after`."""

    found_in: str
    """`location` for the code of a redirect, `body` for a refresh token."""
    path: str
    headers: Mapping[str, str]
    before: str
    after: str = ""


@dataclass(frozen=True)
class Plan:
    """`requests` are sent in turn, and what answers give first; it starts with `waiting`."""

    requests: list[Request]
    follow: FollowUp | None = None
    waiting: list[str] = field(default_factory=list)
    counted: bool = False
    script: ClassVar[str] = "work.lua"
    has_thread_for_each: ClassVar[bool] = False
    """Whether each connection has a thread of its own, which then knows what it asked."""

    def lua(self) -> str:
        """The table that `work.lua` reads."""
        follow = self.follow and {
            "method": "POST",
            "from": self.follow.found_in,
            "path": self.follow.path,
            "headers": self.follow.headers,
            "before": self.follow.before,
            "after": self.follow.after,
        }
        return "return " + _lua(
            {
                "requests": [vars(request) for request in self.requests],
                "follow": follow,
                "waiting": self.waiting,
                "counted": self.counted,
                "unique": secrets.token_hex(6),
            }
        )


@dataclass(frozen=True)
class Browsers:
    """People who sign in with a password in a browser that is new each time."""

    start: str
    """The path of the authorization request that they begin with."""
    origin: str
    people: list[str]
    password: str
    script: ClassVar[str] = "browser.lua"
    has_thread_for_each: ClassVar[bool] = True

    def lua(self) -> str:
        """The table that `browser.lua` reads."""
        return "return " + _lua(vars(self))


def form_headers(side: Side, role: str) -> dict[str, str]:
    return {"authorization": side.basic(role), "content-type": FORM}


def repeat(method: str, path: str, **headers: str) -> Plan:
    """The same request over and over."""
    return Plan([Request(method, path, headers)])


def post_forms(side: Side, role: str, endpoint: str, forms: list[dict[str, str]]) -> Plan:
    """Forms to an endpoint, by the client in that role."""
    path, headers = side.path(endpoint), form_headers(side, role)
    return Plan([Request("POST", path, headers, urlencode(one)) for one in forms])


def sign_in(side: Side, role: str) -> Plan:
    """Authorization requests with a live session, and a token request for each code."""
    path = side.authorize_path(role)
    after = urlencode({"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER})
    return Plan(
        [Request("GET", path, {"cookie": cookies}) for cookies in side.sessions()],
        FollowUp(
            "location",
            side.path("token_endpoint"),
            form_headers(side, role),
            "grant_type=authorization_code&code=",
            f"&{after}",
        ),
    )


def refresh(side: Side, role: str, tokens: list[str]) -> Plan:
    """Each refresh token once, and then its successor."""
    return Plan(
        [],
        FollowUp(
            "body",
            side.path("token_endpoint"),
            form_headers(side, role),
            "grant_type=refresh_token&refresh_token=",
        ),
        tokens,
    )


def _lua(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nil"
    if isinstance(value, list):
        return "{" + ",".join(map(_lua, value)) + "}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"[{_lua(key)}]={_lua(one)}" for key, one in value.items()) + "}"
    escaped = "".join(
        char if char.isalnum() or char in "-_.~ " else f"\\{ord(char):03}" for char in str(value)
    )
    return f'"{escaped}"'
