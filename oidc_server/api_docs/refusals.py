"""Problems as the document tells them: one answer for each status that an operation refuses with.

RFC 9457; the types are those of `web/errors/types.py`.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from oidc_server.web.errors.types import (
    INSUFFICIENT_CREDIT,
    INSUFFICIENT_SCOPE,
    INVALID_FIELDS,
    PROBLEM_TYPES,
    ProblemType,
)

MEDIA_TYPE = "application/problem+json"
_REFERENCE = "Zk3qVJ1cT0aP"
_HEADERS = {
    401: ("WWW-Authenticate", "DPoP-Nonce"),
    403: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit-Policy", "RateLimit"),
    503: ("Retry-After",),
}
_MEMBERS: dict[ProblemType, dict[str, Any]] = {
    INSUFFICIENT_SCOPE: {"scope": "credits:read"},
    INSUFFICIENT_CREDIT: {"balance": "1.50"},
    INVALID_FIELDS: {"errors": [{"field": "amount", "message": "Field required"}]},
}

SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Programs compare `type`; people read the rest.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "reference"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "Which problem it is. It never changes, and leads to a page about it.",
        },
        "title": {"type": "string", "description": "The problem in a few words."},
        "status": {"type": "integer", "description": "The status of the answer."},
        "detail": {"type": "string", "description": "What it was this time."},
        "instance": {"type": "string", "format": "uri", "description": "This very occurrence."},
        "reference": {
            "type": "string",
            "description": "The id of the request, as in X-Request-Id and in the log.",
        },
        "errors": {
            "type": "array",
            "description": "Which fields cannot be taken, and why.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def refusals(kinds: Iterable[ProblemType]) -> dict[str, dict[str, str]]:
    """By status, the component that tells of these problems."""
    return {
        str(status): {"$ref": f"#/components/responses/{_name(list(group))}"}
        for status, group in groupby(kinds, key=lambda kind: kind.status)
    }


def components(lists: Iterable[Sequence[ProblemType]], issuer: str) -> dict[str, Any]:
    """Every component that `refusals` refers to, of these lists of problems."""
    found = {
        _name(kinds): kinds
        for every in lists
        for kinds in (list(group) for _, group in groupby(every, key=lambda kind: kind.status))
    }
    return {name: _component(kinds, issuer) for name, kinds in sorted(found.items())}


def table() -> str:
    """Every type, for people: in Markdown."""
    rows = [
        f"| {kind.status} | `/problems/{kind.name}` | {kind.explanation} {kind.what_to_do} |"
        for kind in PROBLEM_TYPES
    ]
    return "\n".join(["| status | type | what it means |", "| --- | --- | --- |", *rows])


def _name(kinds: Sequence[ProblemType]) -> str:
    return "Or".join(kind.name.title().replace("-", "") for kind in kinds)


def _component(kinds: Sequence[ProblemType], issuer: str) -> dict[str, Any]:
    status = kinds[0].status
    types = [issuer + kind.path for kind in kinds]
    return {
        "description": " ".join(f"{kind.title}." for kind in kinds),
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"}
            for name in ("X-Request-Id", *_HEADERS.get(status, ()))
        },
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Problem"},
                        {"properties": {"type": {"enum": types}, "status": {"const": status}}},
                    ]
                },
                "examples": {kind.name: _example(kind, issuer) for kind in kinds},
            }
        },
    }


def _example(kind: ProblemType, issuer: str) -> dict[str, Any]:
    address = issuer + kind.path
    return {
        "summary": kind.title,
        "description": kind.what_to_do,
        "value": {
            "type": address,
            "title": kind.title,
            "status": kind.status,
            "detail": kind.explanation,
            "instance": f"{address}#{_REFERENCE}",
            "reference": _REFERENCE,
            **_MEMBERS.get(kind, {}),
        },
    }
