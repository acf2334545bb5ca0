"""Resource servers: what was read of one is what is changed of it."""

from typing import Any

import pytest

from oidc_server.database import ConflictError
from oidc_server.domain import resources
from tests.domain.conftest import NOW

API = "https://api.example.net/"


@pytest.mark.parametrize("other", [{"scopes": frozenset({"a"})}, {"wants_roles": True}])
def test_who_read_a_resource_before_another_changed_it_undoes_nothing(database, other):
    values: dict[str, Any] = {
        "name": "API",
        "scopes": frozenset({"a", "b"}),
        "client_id": None,
        "wants_roles": False,
    }
    with database.transaction("write") as db:
        seen = resources.create(db, identifier=API, now=NOW, **values)
    with database.transaction("write") as db:
        changed = resources.change(db, seen, **values | other)

    with pytest.raises(ConflictError), database.transaction("write") as db:
        resources.change(db, seen, **values | {"name": "Articles"})
    with pytest.raises(ConflictError), database.transaction("write") as db:
        resources.remove(db, seen)

    with database.transaction("read") as db:
        assert resources.find(db, API) == changed
