"""What is asked of both servers, and what it may cost beside the peer."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.peer import plans
from benchmarks.peer.plans import UNIQUE, Plan, Request
from benchmarks.peer.sides import Side
from benchmarks.stage import REDIRECT_URI

_POOL = 32
"""Tokens to begin with: more than there are connections."""
_CREDITS = "/api/v1/credits"


class Goal(NamedTuple):
    """CPU per operation, as a part of the peer's: what must hold, and what is aimed at."""

    hold: float
    aim: float


@dataclass(frozen=True)
class Operation:
    """`plan` writes down the work for a server, in the roles of its clients that do the same."""

    name: str
    plan: Callable[[Side], Plan]
    goal: Goal | None = None
    goal_on_postgresql: Goal | None = None
    """Where it is another one."""
    steps: int = 1
    has_peer: bool = True

    def goal_for(self, side: Side) -> Goal | None:
        return (side.database and self.goal_on_postgresql) or self.goal


def _client_credentials(role: str) -> Callable[[Side], Plan]:
    form = [{"grant_type": "client_credentials"}]
    return lambda side: plans.post_forms(side, role, "token_endpoint", form)


def _refresh(role: str) -> Callable[[Side], Plan]:
    def plan(side: Side) -> Plan:
        tokens = side.tokens(role, _POOL)
        return plans.refresh(side, role, [str(one["refresh_token"]) for one in tokens])

    return plan


def _access_tokens(side: Side) -> list[str]:
    return [str(one["access_token"]) for one in side.tokens("web opaque", _POOL)]


def _userinfo(side: Side) -> Plan:
    path = side.path("userinfo_endpoint")
    tokens = _access_tokens(side)
    return Plan([Request("GET", path, {"authorization": f"Bearer {one}"}) for one in tokens])


def _introspection(side: Side) -> Plan:
    forms = [{"token": one} for one in _access_tokens(side)]
    return plans.post_forms(side, "service opaque", "introspection_endpoint", forms)


def _registration(side: Side) -> Plan:
    body = json.dumps({"client_name": "Bench", "redirect_uris": [REDIRECT_URI]})
    headers = {"content-type": "application/json"}
    return Plan([Request("POST", side.path("registration_endpoint"), headers, body)])


def _service_headers(side: Side) -> dict[str, str]:
    scope = "credits:read credits:use credits:add"
    with side.browser() as http:
        token = side.ask_token(http, "service", grant_type="client_credentials", scope=scope)
    return {
        "authorization": f"Bearer {token['access_token']}",
        "content-type": "application/json",
        "idempotency-key": UNIQUE,
    }


def _give_credit(side: Side, headers: dict[str, str]) -> None:
    with side.browser() as http:
        for person in side.people:
            once = {**headers, "idempotency-key": f"{person.id}-{len(side.people)}"}
            body = {"user_id": person.id, "amount": "1000000", "reference_id": "benchmark"}
            answer = http.post(f"{_CREDITS}/add", json=body, headers=once)
            if answer.is_error:
                raise RuntimeError(f"{side.name}: {answer.status_code} {answer.text[:500]}")


def _balance(side: Side) -> Plan:
    headers = {"authorization": _service_headers(side)["authorization"]}
    paths = [f"{_CREDITS}/balance?user_id={person.id}" for person in side.people]
    return Plan([Request("GET", path, headers) for path in paths])


def _use(side: Side) -> Plan:
    headers = _service_headers(side)
    _give_credit(side, headers)
    bodies = [
        json.dumps({"user_id": person.id, "amount": "0.01", "reference_id": UNIQUE})
        for person in side.people
    ]
    path = f"{_CREDITS}/use"
    return Plan([Request("POST", path, headers, body) for body in bodies], counted=True)


OPERATIONS = (
    Operation(
        "discovery",
        lambda _: plans.repeat("GET", "/.well-known/openid-configuration"),
        Goal(0.35, 0.2),
    ),
    Operation("JWKS", lambda side: plans.repeat("GET", side.path("jwks_uri")), Goal(0.5, 0.3)),
    Operation(
        "client credentials, JWT against JWT", _client_credentials("service"), Goal(0.45, 0.3)
    ),
    Operation(
        "client credentials, JWT against opaque",
        _client_credentials("service opaque"),
        Goal(0.65, 0.45),
    ),
    Operation(
        "sign-in with a live session, ES256",
        lambda side: plans.sign_in(side, "web ES256"),
        Goal(0.45, 0.3),
        Goal(0.75, 0.5),
        steps=2,
    ),
    Operation(
        "sign-in with a live session, ID Token RS256",
        lambda side: plans.sign_in(side, "web RS256"),
        Goal(0.85, 0.7),
        Goal(1.0, 0.8),
        steps=2,
    ),
    Operation("refresh, ES256", _refresh("web ES256"), Goal(0.45, 0.3), Goal(0.65, 0.5)),
    Operation("refresh, ID Token RS256", _refresh("web RS256"), Goal(0.75, 0.6), Goal(0.95, 0.8)),
    Operation("introspection, against opaque", _introspection, Goal(0.4, 0.25), Goal(0.7, 0.5)),
    Operation("userinfo, against opaque", _userinfo, Goal(0.4, 0.25), Goal(0.7, 0.5)),
    Operation("dynamic registration", _registration),
    Operation("credits use", _use, has_peer=False),
    Operation("balance", _balance, has_peer=False),
)
