"""Files that commands make: whole, or not there."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from oidc_server.cli.files import new_file


def test_of_two_that_write_one_file_neither_gets_into_that_of_the_other(tmp_path: Path) -> None:
    file = tmp_path / "backup.age"

    with ExitStack() as later:
        with new_file(file) as first:
            second = later.enter_context(new_file(file))
            second.write(b"half")
            second.flush()
            first.write(b"the whole of the first")
        between = file.read_bytes()
        second.write(b" and half")

    assert between == b"the whole of the first"
    assert file.read_bytes() == b"half and half"
    assert list(tmp_path.iterdir()) == [file]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with new_file(tmp_path / "backup.age") as into:
            into.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert list(tmp_path.iterdir()) == []
