"""Who gets into every operation of the API: every row of the tables, every kind of caller."""

import dataclasses
import re
from itertools import product
from typing import Any

import pytest

from oidc_server.api.operations import Operation
from oidc_server.oauth2.vocabulary import ADMINISTRATIVE_SCOPES, API_SCOPES
from oidc_server.routes import OPERATIONS, ROUTES
from oidc_server.web.endpoint import Endpoint
from tests.callers import Callers, make_callers
from tests.site import Site

SOME_ID = "019b8d62-7a80-73a1-acf1-88f9fcf744e7"
OPEN_TO_EVERYBODY = {
    "account_api.sign_up",
    "account_api.ask_for_password",
    "account_api.choose_password",
}
"""Names of operations that ask for no token: each one a decision."""
ENDS_TOKENS = ("account_api.end_other_sessions", "account_api.withdraw_all_consents")
"""Names of operations after which tokens of their caller are dead; more of them after the later."""
CALLERS = (
    "",
    "person",
    "moderator",
    "administrator",
    "service",
    "narrow",
    "narrow_service",
    "elsewhere",
)
PEOPLE = ("person", "moderator", "administrator")
MODERATED = {"users:read", "users:disable", "sessions:read", "sessions:write", "credits:read"}
"""The scopes that the role of a moderator gives."""
IN = 0


def expected(operation: Operation, caller: str, about: str) -> int:
    """What the rule says, in other words than the guard: 401, 403, or let in."""
    rule = operation.rule
    if rule.scope is None:
        return IN
    if caller in ("", "elsewhere"):
        return 401
    if caller in ("narrow", "narrow_service"):
        return 403
    if caller == "service":
        return IN if rule.for_others else 403
    about_oneself = about == caller if rule.names_user else rule.for_oneself
    if about_oneself:
        return IN if rule.for_oneself else 403
    may_act = caller == "administrator" or (caller == "moderator" and rule.scope in MODERATED)
    return IN if rule.for_others and may_act else 403


def request(callers: Callers, operation: Operation, caller: str, about: str) -> int:
    path = re.sub(r"\{[a-z_]+\}", SOME_ID, operation.path)
    options: dict[str, Any] = {}
    named = {"user_id": callers.id_of(about)} if operation.rule.names_user else {}
    if operation.body is not None:
        options["json"] = {**(operation.body_example or {}), **named}
    else:
        options["params"] = named
    headers = {"idempotency-key": f"{operation.name} {caller} {about}".replace(" ", "-")}
    return callers.call(operation.method, path, caller, headers, **options).status_code


def test_every_operation_lets_in_whom_its_rule_says_and_nobody_else(site: Site) -> None:
    callers = make_callers(site, " ".join(sorted(API_SCOPES)))
    wrong = []

    for operation, caller in sorted(product(OPERATIONS, CALLERS), key=turn):
        is_asked_of_both = caller in PEOPLE and operation.rule.names_user
        for about in ["other", caller] if is_asked_of_both else ["other"]:
            wanted = expected(operation, caller, about)
            status = request(callers, operation, caller, about)
            is_in = status not in (401, 403)
            if is_in != (wanted == IN) or (not is_in and status != wanted):
                wrong.append((operation.name, caller, about, status, wanted))

    assert wrong == []


def turn(asked: tuple[Operation, str]) -> tuple[bool, bool, int]:
    """What ends tokens comes last, and people after those who hold other tokens of theirs."""
    operation, caller = asked
    if operation.name not in ENDS_TOKENS:
        return False, False, 0
    return True, caller in PEOPLE, ENDS_TOKENS.index(operation.name)


SPELLINGS = (
    "//api/v1/admin/users",
    "/api/v1//admin/users",
    "/api/v1/admin/users/",
    "/API/v1/admin/users",
    "/api/v1/ADMIN/users",
    "/api/v1/%61dmin/users",
    "/api/v1/admin;x/users",
    "/api/v1/admin/users;x",
    "/api/v1/credits/%2e%2e/admin/users",
    "/api/v1/admin/users%00",
)


def test_no_spelling_of_an_address_is_a_way_around_its_rule(site: Site) -> None:
    callers = make_callers(site, "users:read")

    for path in SPELLINGS:
        for caller in ("", "person"):
            answer = callers.call("GET", f"{site.issuer}{path}", caller)
            assert answer.status_code in (400, 401, 403, 404), path
            assert callers.people["other"].username not in answer.text, path


def test_every_address_of_the_api_comes_from_the_table() -> None:
    served = {
        (route.path, method)
        for route in ROUTES
        if route.path.startswith("/api/") and isinstance(route.endpoint, Endpoint)
        for method in route.endpoint.methods
    }

    assert not [route for route in ROUTES if not isinstance(route.endpoint, Endpoint)]
    assert served == {(operation.path, operation.method) for operation in OPERATIONS}
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_an_operation_without_a_rule_cannot_be_written() -> None:
    members = {
        field.name: getattr(OPERATIONS[0], field.name)
        for field in dataclasses.fields(Operation)
        if field.name != "rule"
    }

    with pytest.raises(TypeError):
        Operation(**members)


def test_only_what_is_named_here_is_open_to_everybody() -> None:
    opened = {operation.name for operation in OPERATIONS if operation.rule.scope is None}

    assert opened == OPEN_TO_EVERYBODY


def test_every_scope_of_a_rule_is_one_of_ours_that_are_told(site: Site) -> None:
    used = {operation.rule.scope for operation in OPERATIONS} - {None}
    told = site.http.get("/.well-known/oauth-protected-resource").json()["scopes_supported"]

    assert used == API_SCOPES
    assert used <= set(told)


def test_the_administrative_scopes_are_those_that_nobody_can_use_for_themselves() -> None:
    of_use = {operation.rule.scope for operation in OPERATIONS if operation.rule.for_oneself}

    assert API_SCOPES - of_use == ADMINISTRATIVE_SCOPES


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_has_examples_that_its_models_take(operation: Operation) -> None:
    for model, example in (
        (operation.body, operation.body_example),
        (operation.query, operation.query_example),
        (operation.answer, operation.answer_example),
    ):
        assert (model is None) == (example is None)
        if model is not None:
            model.model_validate(example, strict=None if model is operation.body else False)
    assert operation.summary
