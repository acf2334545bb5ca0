"""The scopes in docs/api.md are those of the program."""

import re

from oidc_server.domain import roles
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.routes import OPERATIONS
from tests.examples.reading import page, parts

_ROW = re.compile(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def who_may_use(scope: ApiScope) -> str:
    """Whom the table of operations lets use a scope."""
    rules = [operation.rule for operation in OPERATIONS if operation.rule.scope == scope]
    themselves = ["people themselves"] if any(rule.for_oneself for rule in rules) else []
    others = ["services", "administrators"] if any(rule.for_others for rule in rules) else []
    if others and scope in roles.BUILT_IN[roles.MODERATOR][1]:
        others.append("moderators")
    return ", ".join(themselves + others)


def test_every_scope_is_told_with_whoever_may_use_it() -> None:
    told = dict(_ROW.findall(parts(page("api.md"))["scopes"]))

    assert told == {scope.value: who_may_use(scope) for scope in ApiScope}
