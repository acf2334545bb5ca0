"""Whatever stands where an address of the API names something, it is found, or it is not."""

import re
from typing import Any

from oidc_server.oauth2.vocabulary import API_SCOPES
from oidc_server.routes import OPERATIONS
from tests.callers import make_callers
from tests.site import Site

NOBODYS = ("%00", "a%00b", "%ff", "%ed%a0%80", "%f0%9f%98%80", "x" * 5000, "'--", "%E2%80%A8")


def test_what_nothing_can_be_called_is_not_found(site: Site) -> None:
    callers = make_callers(site, " ".join(sorted(API_SCOPES)))
    wrong = []

    for operation in OPERATIONS:
        caller = "administrator" if operation.rule.for_others else "person"
        options: dict[str, Any] = {} if operation.body is None else {"json": operation.body_example}
        for name in NOBODYS if "{" in operation.path else ():
            path = re.sub(r"\{[a-z_]+\}", name, operation.path)
            answer = callers.call(operation.method, f"{site.issuer}{path}", caller, **options)
            shape = answer.headers["content-type"]
            if (answer.status_code, shape) != (404, "application/problem+json"):
                wrong.append((operation.name, name[:20], answer.status_code))

    assert wrong == []
