"""Migrations form one line, numbered in order."""

import re

from alembic.config import Config
from alembic.script import ScriptDirectory

from oidc_server import resources
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
