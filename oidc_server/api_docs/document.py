"""The OpenAPI document of the API, from the table of its operations (OpenAPI 3.1.1)."""

from collections.abc import Iterable, Sequence
from typing import Any

from oidc_server import __version__
from oidc_server.api.operations import Operation
from oidc_server.api_docs import refusals
from oidc_server.api_docs.described import DISCOVERED, OAUTH, TOKEN, describe
from oidc_server.api_docs.schemas import schemas_of
from oidc_server.api_docs.tags import tags

_ABOUT = """\
The API of this authorization server: what its pages give people, for programs.

**Tokens.** Send an access token of this very server: `Authorization: Bearer …`, or `DPoP …` with a
proof (RFC 9449) if it is bound to a key. Applications get one for a person with the authorization
code flow and PKCE, services for themselves with `client_credentials`. Every operation names its
scope. A scope alone never lets a person act on others: that takes a role which gives the scope.

**Bodies** are JSON in UTF-8, at most 64 KiB, without members that are not described here.

**Sending again.** Where sending twice would matter, an `Idempotency-Key` is needed: the answer to
it is kept for at least 48 hours, for this caller and this body, and given again with
`Idempotent-Replayed: true`.

**Long lists** come in pages: send `next_cursor` of one as `cursor` to get the next. There is none
after the last page.

**Limits.** Working is not limited. Failed authentications are, for each address: then 429 comes
with `Retry-After`, as 503 does when a part of the server is away. `RateLimit-Policy` and
`RateLimit` tell programs which limit it was.

**Problems** are `application/problem+json` (RFC 9457). `type` never changes; `reference` is what
the log knows the request by. What belongs to others looks the same as what does not exist.
"""


def document(
    operations: Sequence[Operation], *, issuer: str, name: str, endpoints: dict[str, str]
) -> dict[str, Any]:
    """The document. `endpoints` are addresses by their names in RFC 8414."""
    schemas = schemas_of(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = describe(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{name}: API",
            "version": __version__,
            "description": _ABOUT,
        },
        "servers": [{"url": issuer}],
        "tags": [
            *tags(operations),
            {"name": "Problems", "description": refusals.table(), "x-traitTag": True},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": _security_schemes(issuer, endpoints, _scopes(operations)),
            "schemas": {**schemas.components, "Problem": refusals.SCHEMA},
            "responses": refusals.components(
                [operation.all_problems() for operation in operations], issuer
            ),
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
        },
    }


def _scopes(operations: Iterable[Operation]) -> dict[str, str]:
    """Every scope, and what it is needed for."""
    found: dict[str, list[str]] = {}
    for operation in operations:
        if operation.rule.scope is not None:
            found.setdefault(str(operation.rule.scope), []).append(operation.summary)
    return {scope: ". ".join(summaries) + "." for scope, summaries in sorted(found.items())}


def _security_schemes(
    issuer: str, endpoints: dict[str, str], scopes: dict[str, str]
) -> dict[str, Any]:
    token_url = endpoints["token_endpoint"]
    return {
        OAUTH: {
            "type": "oauth2",
            "description": "For applications the code flow with PKCE (S256); for services"
            " `client_credentials`.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": endpoints["authorization_endpoint"],
                    "tokenUrl": token_url,
                    "refreshUrl": token_url,
                    "scopes": scopes,
                },
                "clientCredentials": {"tokenUrl": token_url, "scopes": scopes},
            },
        },
        DISCOVERED: {
            "type": "openIdConnect",
            "description": "Where clients learn everything about this server.",
            "openIdConnectUrl": f"{issuer}/.well-known/openid-configuration",
        },
        TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token that you have already.",
        },
    }


_PARAMETERS: dict[str, Any] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "A new one for what is new, such as a UUID; the same when you try again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "example": "5f8f6b3e-3c5e-4d43-9d0e-0f3a4f6f2f4b",
    },
    "DPoP": {
        "name": "DPoP",
        "in": "header",
        "required": False,
        "description": "The proof of possession, for a token that is bound to a key (RFC 9449).",
        "schema": {"type": "string"},
    },
}

_HEADERS: dict[str, Any] = {
    "X-Request-Id": {
        "description": "The id of this request, which problems repeat as `reference`.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "`true` if this answer was given before.",
        "schema": {"type": "string", "const": "true"},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate, and what was wrong (RFC 6750 §3, RFC 9449 §7.1).",
        "schema": {"type": "string"},
    },
    "DPoP-Nonce": {
        "description": "What the next DPoP proof must hold, where that is required (RFC 9449 §8).",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Policy": {
        "description": "The limit that is used up: its name, and how many (`q`) in how many seconds"
        " (`w`). Absent where one account has been tried too often.",
        "schema": {"type": "string", "examples": ['"failures";q=100;w=60']},
    },
    "RateLimit": {
        "description": "How many are left of it (`r`, none), and seconds until there are (`t`).",
        "schema": {"type": "string", "examples": ['"failures";r=0;t=12']},
    },
}
