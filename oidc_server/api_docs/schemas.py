"""JSON Schemas of what is sent and answered, from the models (JSON Schema 2020-12)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from oidc_server.api.operations import Operation

Schema = dict[str, Any]
_PLACE = "#/components/schemas/"
_Mode = Literal["validation", "serialization"]
_NULL = {"type": "null"}


@dataclass(frozen=True)
class Schemas:
    """The components, and where each model stands among them."""

    components: dict[str, Schema]
    _references: dict[tuple[type[BaseModel], _Mode], Schema]

    def of_body(self, model: type[BaseModel]) -> Schema:
        return self._references[model, "validation"]

    def of_answer(self, model: type[BaseModel]) -> Schema:
        return self._references[model, "serialization"]


def schemas_of(operations: Iterable[Operation]) -> Schemas:
    """The schemas of every body and every answer. Queries are told as parameters."""
    wanted: dict[tuple[type[BaseModel], _Mode], None] = {}
    for operation in operations:
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
        if operation.answer is not None:
            wanted[operation.answer, "serialization"] = None
    found, made = models_json_schema(list(wanted), ref_template=_PLACE + "{model}")
    references = {(model, mode): found[model, mode] for model, mode in wanted}
    return Schemas(dict(made.get("$defs", {})), references)


def query_parameters(model: type[BaseModel], example: Schema) -> list[Schema]:
    """Each member of the query as a parameter.

    There is no null in a query: it is left out, or empty, which is the same.
    """
    made = model.model_json_schema()
    needed = made.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in needed,
            **({"description": schema["description"]} if "description" in schema else {}),
            "schema": _or_empty(_without_null(_inlined(schema, made.get("$defs", {})))),
            **({"example": example[name]} if name in example else {}),
        }
        for name, schema in made.get("properties", {}).items()
    ]


def _inlined(schema: Any, definitions: dict[str, Schema]) -> Any:
    """The schema with what it refers to in its place: words of an enumeration, mostly."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found = definitions[reference.rpartition("/")[2]]
        schema = {**found, **{name: part for name, part in schema.items() if name != "$ref"}}
    return {name: _inlined(part, definitions) for name, part in schema.items()}


def _without_null(schema: Schema) -> Schema:
    kept = {
        name: part
        for name, part in schema.items()
        if name not in ("anyOf", "title", "description")
        and not (name == "default" and part is None)
    }
    options = [option for option in schema.get("anyOf", []) if option != _NULL]
    if len(options) == 1:
        return {**options[0], **kept}
    return {**kept, "anyOf": options} if options else kept


def _or_empty(schema: Schema) -> Schema:
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], ""]}
    if schema.get("type") != "string":
        return schema
    if {"pattern", "format"} & schema.keys():
        return {"anyOf": [schema, {"const": ""}]}
    return {name: part for name, part in schema.items() if name != "minLength"}
