"""What is fed to the API: calls that are good but for a member, a parameter, an id or a byte."""

import json
import re
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from oidc_server.api.operations import Operation
from oidc_server.routes import OPERATIONS
from tests.callers import Callers
from tests.fuzz.food import SCALARS, Request, bent, json_values, some_bytes

_PLACES = re.compile(r"\{[a-z_]+\}")
_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@st.composite
def api_calls(draw: st.DrawFn, callers: Callers) -> Request:
    """A call of some operation by somebody, up to three steps away from its example."""
    operation = draw(st.sampled_from(OPERATIONS))
    people = list(callers.people)
    ids = [callers.id_of(name) for name in people] + ["019b8d62-7a80-73a1-acf1-88f9fcf744e7"]
    path = _PLACES.sub(
        lambda _: quote(draw(st.sampled_from([*ids, "support", "x" * 5000]) | _WORDS), safe=""),
        operation.path,
    )
    headers = [("authorization", f"Bearer {draw(st.sampled_from(list(callers.tokens.values())))}")]
    if draw(st.integers(0, 5)):
        headers.append(("idempotency-key", draw(st.uuids()).hex))
    if draw(st.integers(0, 9)) == 0:
        headers.append(draw(st.sampled_from([("dpop", "a.b.c"), ("idempotency-key", "é")])))
    query = draw(queries(operation, ids))
    if operation.body is None:
        body = draw(some_bytes()) if draw(st.integers(0, 9)) == 0 else b""
        return Request(operation.method, path, query, tuple(headers), body)
    headers.append(("content-type", draw(st.sampled_from(["application/json"] * 9 + ["text/x"]))))
    return Request(operation.method, path, query, tuple(headers), draw(bodies(operation, ids)))


@st.composite
def queries(draw: st.DrawFn, operation: Operation, ids: list[str]) -> bytes:
    """Parameters of the example, some left out, some strange, now and then one of another name."""
    fields: list[tuple[str, Any]] = list((operation.query_example or {}).items())
    names = list(operation.query.model_fields) if operation.query is not None else ["x"]
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(names) | _WORDS)
        odd = st.sampled_from(["", "0", "-1", "9" * 30, "NaN", "1e3", "null", "\0", "W10", *ids])
        fields = [pair for pair in fields if pair[0] != name or draw(st.booleans())]
        fields.append((name, draw(odd | _WORDS)))
    return urlencode(fields).encode()


@st.composite
def bodies(draw: st.DrawFn, operation: Operation, ids: list[str]) -> bytes:
    """The example in JSON, with members left out, changed, of another kind, or too many."""
    members = {name: json.dumps(value) for name, value in (operation.body_example or {}).items()}
    if "user_id" in members:
        members["user_id"] = json.dumps(draw(st.sampled_from(ids)))
    names = list(operation.body.model_fields) if operation.body is not None else []
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*names, "x"]) | _WORDS)
        if draw(st.integers(0, 3)) == 0:
            members.pop(name, None)
        else:
            members[name] = draw(st.sampled_from(SCALARS) | json_values())
    text = "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"
    body = text.encode("utf-8", "surrogatepass")
    return draw(bent(body)) if draw(st.integers(0, 5)) == 0 else body
