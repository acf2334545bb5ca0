"""The description of the API: good OpenAPI, and true of every operation."""

import json
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator

from oidc_server.api.operations import Operation
from oidc_server.api_docs.document import document as document_of
from oidc_server.domain.idempotency import KEPT_FOR
from oidc_server.oauth2.vocabulary import API_SCOPES
from oidc_server.routes import OPERATIONS
from oidc_server.web.errors.types import PROBLEM_TYPES
from tests.examples.reading import page, parts
from tests.site import Site
from tests.wire import ask

ISSUER = "https://id.example.com"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    endpoints = {
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
    }
    made = document_of(OPERATIONS, issuer=ISSUER, name="Your ID", endpoints=endpoints)
    read: dict[str, Any] = json.loads(json.dumps(made))
    return read


def test_it_says_how_long_an_answer_is_repeated_as_the_page_about_the_api_does(
    document: dict[str, Any],
) -> None:
    hours = KEPT_FOR // timedelta(hours=1)
    promise = f"kept for at least {hours} hours"

    assert promise in document["info"]["description"]
    assert promise in parts(page("api.md"))["idempotency-keys"]


def told_of(document: dict[str, Any], operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = document["paths"][operation.path][operation.method.lower()]
    return told


def test_it_is_good_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_it_tells_of_every_operation_and_of_nothing_else(document: dict[str, Any]) -> None:
    told = {
        (path, method.upper(), operation["operationId"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert told == {(one.path, one.method, one.name) for one in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_tells_who_may_and_what_it_answers(
    document: dict[str, Any], operation: Operation
) -> None:
    told = told_of(document, operation)
    names = {resolved_parameter(document, one)["name"] for one in told["parameters"]}

    scope = operation.rule.scope
    assert told["security"] == (
        [{name: [scope]} for name in ("oauth2", "openIdConnect", "accessToken")] if scope else []
    )
    assert set(told["responses"]) == {
        str(operation.status),
        *(str(kind.status) for kind in operation.all_problems()),
    }
    assert ("requestBody" in told) == (operation.body is not None)
    assert ("Idempotency-Key" in names) == operation.idempotent
    assert ("DPoP" in names) == (scope is not None)
    assert {name for name in names if f"{{{name}}}" in operation.path} == {
        part[1:-1] for part in operation.path.split("/") if part.startswith("{")
    }


def test_every_operation_is_listed_under_something_that_is_explained(
    document: dict[str, Any],
) -> None:
    explained = {tag["name"] for tag in document["tags"] if tag["description"]}

    used = {
        tag
        for methods in document["paths"].values()
        for operation in methods.values()
        for tag in operation["tags"]
    }

    assert used < explained
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["tags"][0].startswith("Admin: ") == ("/admin/" in path)


def resolved_parameter(document: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in parameter:
        return parameter
    found: dict[str, Any] = document["components"]["parameters"][
        parameter["$ref"].rpartition("/")[2]
    ]
    return found


def test_every_problem_has_its_type_and_an_example_that_fits(document: dict[str, Any]) -> None:
    addresses = {ISSUER + kind.path for kind in PROBLEM_TYPES}
    for response in document["components"]["responses"].values():
        content = response["content"]["application/problem+json"]
        schema = content["schema"]
        for example in content["examples"].values():
            assert example["value"]["type"] in addresses
            assert errors(document, schema, example["value"]) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_examples_of_an_operation_fit_its_schemas(
    document: dict[str, Any], operation: Operation
) -> None:
    told = told_of(document, operation)
    contents = [told["responses"][str(operation.status)].get("content", {})]
    contents.append(told.get("requestBody", {}).get("content", {}))
    found = [one for content in contents for one in content.values() if "example" in one]
    found += [one for one in told["parameters"] if "example" in one]

    assert [errors(document, one["schema"], one["example"]) for one in found] == [[]] * len(found)


def errors(document: dict[str, Any], schema: dict[str, Any], instance: Any) -> list[str]:
    """What is wrong with an instance, by a schema that may refer to the document."""
    validator = Draft202012Validator({**schema, "components": document["components"]})
    return [error.message for error in validator.iter_errors(instance)]


def test_every_scope_of_ours_can_be_asked_for(document: dict[str, Any]) -> None:
    flows = document["components"]["securitySchemes"]["oauth2"]["flows"]

    assert set(flows["authorizationCode"]["scopes"]) == set(API_SCOPES)
    assert set(flows["clientCredentials"]["scopes"]) == set(API_SCOPES)


def test_every_address_in_it_is_one_of_this_server(site: Site) -> None:
    document = site.http.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    flow = schemes["oauth2"]["flows"]["authorizationCode"]

    metadata = site.http.get(schemes["openIdConnect"]["openIdConnectUrl"]).json()

    assert flow["authorizationUrl"] == metadata["authorization_endpoint"]
    assert flow["tokenUrl"] == flow["refreshUrl"] == metadata["token_endpoint"]
    assert site.http.get(f"/problems/{PROBLEM_TYPES[0].name}").status_code == 200


def test_whoever_has_it_already_is_not_sent_it_again(site: Site) -> None:
    first = ask(site, "GET", "/openapi.json")
    tag = first.header("etag") or ""

    same = ask(site, "GET", "/openapi.json", headers=(("if-none-match", f'"x", W/{tag}'),))
    other = ask(site, "GET", "/openapi.json", headers=(("if-none-match", '"x"'),))

    assert json.loads(first.body)["info"]["title"]
    assert first.header("access-control-allow-origin") == "*"
    assert (same.status, same.body, same.header("etag")) == (304, b"", tag)
    assert same.header("content-length") is None  # it would be that of the document
    assert (other.status, other.body) == (200, first.body)


def test_it_is_told_in_the_name_of_the_server(start_site) -> None:
    site = start_site(brand_name="Example", issuer="https://login.example.org")

    document = site.http.get("/openapi.json").json()

    assert document["info"]["title"] == "Example: API"
    assert document["servers"] == [{"url": "https://login.example.org"}]
