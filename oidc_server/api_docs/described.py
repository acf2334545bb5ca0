"""One operation as the document tells it (OpenAPI 3.1.1 §4.8.10)."""

import re
from typing import Any

from oidc_server.api.access import Rule
from oidc_server.api.operations import Operation
from oidc_server.api_docs import refusals
from oidc_server.api_docs.schemas import Schema, Schemas, query_parameters
from oidc_server.api_docs.tags import tag_of

OAUTH, DISCOVERED, TOKEN = "oauth2", "openIdConnect", "accessToken"
"""The security schemes: how to get a token, where to learn that, and the token itself."""

_JSON = "application/json"
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def describe(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    """The Operation Object."""
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [tag_of(operation)],
        "summary": operation.summary,
        "description": _description(operation),
        "security": _security(operation.rule),
        "parameters": _parameters(operation),
        "responses": {
            str(operation.status): _success(operation, schemas),
            **refusals.refusals(operation.all_problems()),
        },
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {
                _JSON: {
                    "schema": schemas.of_body(operation.body),
                    "example": operation.body_example,
                }
            },
        }
    return described


def _description(operation: Operation) -> str:
    parts = [operation.description, _who(operation.rule)]
    if operation.idempotent:
        parts.append("Sent again with the same `Idempotency-Key`, it has one effect.")
    return "\n\n".join(part for part in parts if part)


def _who(rule: Rule) -> str:
    """The rule in words."""
    if rule.scope is None:
        return "Open to everybody: no token is needed."
    others = "services, and people with a role that gives the scope"
    about = ", about the user in `user_id`" if rule.names_user else ""
    if rule.for_oneself and rule.for_others:
        who = f"people, about themselves; {others}{about}"
    elif rule.for_oneself:
        who = "people, about themselves"
    else:
        who = f"{others}{about}"
    return f"Needs the scope `{rule.scope}`. For {who}."


def _security(rule: Rule) -> list[dict[str, list[str]]]:
    if rule.scope is None:
        return []
    return [{scheme: [rule.scope]} for scheme in (OAUTH, DISCOVERED, TOKEN)]


def _parameters(operation: Operation) -> list[Schema]:
    found: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACEHOLDER.findall(operation.path)
    ]
    if operation.query is not None:
        found += query_parameters(operation.query, dict(operation.query_example or {}))
    if operation.rule.scope is not None:
        found.append({"$ref": "#/components/parameters/DPoP"})
    if operation.idempotent:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return found


def _success(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    headers = ["X-Request-Id", *(["Idempotent-Replayed"] if operation.idempotent else [])]
    told: dict[str, Any] = {
        "description": "Done." if operation.answer is None else _of_answer(operation.answer),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
    }
    if operation.answer is not None:
        told["content"] = {
            _JSON: {
                "schema": schemas.of_answer(operation.answer),
                "example": operation.answer_example,
            }
        }
    if operation.files:
        told["content"] = {name: {"schema": {"type": "string"}} for name in operation.files}
    return told


def _of_answer(model: type) -> str:
    return (model.__doc__ or "Done.").strip().partition("\n")[0]
