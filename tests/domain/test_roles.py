"""Roles of people, on both databases."""

from oidc_server.domain import roles
from tests.domain.conftest import NOW


def test_a_role_is_given_once_however_often(database, ada):
    with database.transaction("write") as db:
        assert roles.roles_of(db, ada) == frozenset()
        assert not roles.administrator_exists(db)

        roles.assign(db, ada, roles.ADMIN, NOW)
        roles.assign(db, ada, roles.ADMIN, NOW)

        assert roles.roles_of(db, ada) == {roles.ADMIN}
        assert roles.administrator_exists(db)


def test_another_role_makes_nobody_an_administrator(database, ada):
    with database.transaction("write") as db:
        roles.assign(db, ada, "editor", NOW)

        assert not roles.administrator_exists(db)
