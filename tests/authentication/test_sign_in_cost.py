"""What a sign-in asks the database, so that second factors cost nothing who has none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Dialect

from oidc_server.database import Statement
from oidc_server.database.statements import Compiled
from tests.authentication.forms import new_browser, post
from tests.factories import make_user
from tests.site import Site

OF_FACTORS = ("factors", "recovery_codes", "passkeys", "trusted_devices", "pending_sign_ins")


@contextmanager
def statements(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The SQL that the server runs meanwhile, by either way to speak to the database."""
    seen: list[str] = []
    compile_for = Statement.compiled
    engine = site.runtime.database.engine

    def noting(statement: Statement, dialect: Dialect) -> Compiled:
        compiled = compile_for(statement, dialect)
        seen.append(compiled.sql)
        return compiled

    def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if not sql.startswith("BEGIN"):
            seen.append(sql)

    event.listen(engine, "before_cursor_execute", note)
    with monkeypatch.context() as patch:
        patch.setattr(Statement, "compiled", noting)
        yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_who_has_no_factor_pays_one_statement_for_those_of_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, browser = make_user(site), new_browser(site)
    page = browser.client.get("/login")

    with statements(site, monkeypatch) as seen:
        answer = post(browser, page, username=person.username, password=person.password)

    assert answer.headers["location"] == "/account"
    assert len([sql for sql in seen if any(name in sql for name in OF_FACTORS)]) == 1, seen
    assert len(seen) == 14, seen
