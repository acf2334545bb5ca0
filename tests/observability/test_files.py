"""Log files, and what happens to them while several processes write."""

import multiprocessing
import os
import re

import pytest

from oidc_server.observability.files import RotatingFile

LINES, SIZE, KEEP = 3_000, 40_000, 100


def write_many(path, name, barrier):
    file = RotatingFile(path, SIZE, KEEP)
    barrier.wait()
    for number in range(LINES):
        file.write(f"{name}-{number:05d}-{'x' * (number % 90)}-end".encode())
    file.close()


def all_lines(path):
    """Every line that is left, the oldest file first."""
    aged = sorted(path.parent.glob(f"{path.name}.*"), key=lambda one: -int(one.suffix[1:]))
    return [line for file in (*aged, path) for line in file.read_text().splitlines()]


@pytest.mark.race
def test_two_processes_that_write_and_rotate_at_once_lose_and_tear_no_line(tmp_path):
    path = tmp_path / "app.log"
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(2)
    writers = [spawn.Process(target=write_many, args=(path, name, barrier)) for name in "ab"]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    written = all_lines(path)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(list(tmp_path.glob("app.log.*"))) > 5
    assert [line for line in written if not re.fullmatch(r"[ab]-\d{5}-x*-end", line)] == []
    for name in "ab":
        mine = [int(line[2:7]) for line in written if line[0] == name]
        assert mine == list(range(LINES))
    sizes = [file.stat().st_size for file in tmp_path.glob("app.log.*")]
    assert max(sizes) < SIZE + 10_000


def test_only_so_many_files_are_kept_and_the_oldest_goes_first(tmp_path):
    path = tmp_path / "app.log"
    file = RotatingFile(path, 10, 2)

    for number in range(5):
        file.write(b"line %d, full" % number)
    file.write(b"last")
    file.close()

    assert sorted(one.name for one in tmp_path.glob("app*")) == [
        "app.log",
        "app.log.1",
        "app.log.2",
    ]
    assert all_lines(path) == ["line 3, full", "line 4, full", "last"]


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path):
    path = tmp_path / "app.log"
    file = RotatingFile(path, 1000, 2)
    file.write(b"before")

    path.rename(tmp_path / "moved")
    file.write(b"after")
    (tmp_path / "app.log").unlink()
    file.write(b"again")
    file.close()

    assert (tmp_path / "moved").read_text() == "before\n"
    assert path.read_text() == "again\n"


def test_a_disk_that_is_full_ends_nothing_and_the_next_line_stands_by_itself(tmp_path, monkeypatch):
    path = tmp_path / "app.log"
    file = RotatingFile(path, 1000, 2)
    file.write(b"before")
    write, full = os.write, [b"to"]

    def torn(descriptor, data):
        if not full:
            raise OSError(28, "No space left on device")
        return write(descriptor, full.pop())

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", torn)
        file.write(b"torn")
    file.write(b"after")
    file.close()

    assert path.read_text() == "before\nto\nafter\n"


def test_others_may_not_read_what_is_in_them(tmp_path):
    file = RotatingFile(tmp_path / "app.log", 1000, 2)
    file.close()

    assert (tmp_path / "app.log").stat().st_mode & 0o007 == 0
