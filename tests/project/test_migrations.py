"""Migrations form one line, numbered in order."""

import re

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from oidc_server import resources, schema
from oidc_server.database import Database
from tests.project.additions import breaches, read_schema
from tests.project.repository import ROOT


def scripts():
    return ScriptDirectory.from_config(Config(toml_file=ROOT / "pyproject.toml"))


def test_there_is_one_head():
    assert len(scripts().get_heads()) == 1


def test_file_names_count_up():
    revisions = [script.revision for script in scripts().walk_revisions()][::-1]

    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
    for script in scripts().walk_revisions():
        assert re.fullmatch(rf"{script.revision}_[a-z0-9_]+\.py", script.path.rpartition("/")[2])


def test_the_newest_migration_is_told_by_its_file_name():
    assert resources.newest_migration() == scripts().get_current_head()


def test_from_the_first_that_tells_on_each_says_whether_it_only_adds():
    silent = [
        script.revision
        for script in scripts().walk_revisions()
        if script.revision >= "0030" and not isinstance(script.module.only_adds, bool)
    ]

    assert silent == []


@pytest.fixture(scope="module")
def schemas():
    """Revision → what a database at it has."""
    found, database = {}, Database("sqlite://")
    with database.connection() as connection:
        for script in list(scripts().walk_revisions())[::-1]:
            schema.migrate(connection, script.revision)
            with connection.begin():
                found[script.revision] = read_schema(connection)
    database.close()
    return found


def test_what_says_that_it_only_adds_does(schemas):
    for script in scripts().walk_revisions():
        if getattr(script.module, "only_adds", False):
            broken = breaches(schemas[script.down_revision], schemas[script.revision])
            assert broken == [], f"{script.revision} breaks programs of before (ADR 0023)"


@pytest.mark.parametrize(
    ("revision", "breach"),
    [
        ("0002", None),
        ("0005", "signing_keys."),
        ("0012", None),  # a new column that is unique where it is not empty
        ("0019", "audit_events has trigger "),
        ("0024", None),
        ("0028", "rows of users cannot be deleted without those of passkey_offers"),
    ],
)
def test_what_breaks_programs_of_before_is_seen(schemas, revision, breach):
    """On migrations from before there was anything to say."""
    found = breaches(schemas[f"{int(revision) - 1:04d}"], schemas[revision])

    assert (found == []) == (breach is None)
    assert breach is None or any(one.startswith(breach) for one in found), found
