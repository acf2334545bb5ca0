"""The file of leaked passwords."""

import random
from hashlib import sha1

import pytest

from oidc_server.security.passwords import BreachedPasswords, breached


def digest_of(password):
    return sha1(password.encode(), usedforsecurity=False).digest()


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Make a list of passwords, a few at a time, and open it."""
    monkeypatch.setattr(breached, "_RUN", 7)

    def make(digests):
        path = tmp_path / "leaked"
        breached.build(digests, path)
        return BreachedPasswords(path)

    return make


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize("count", [1, 2, 7, 8, 100])
def test_every_password_of_the_list_is_found_and_no_other(build, count, order):
    words = [f"leaked {number}" for number in range(count)]
    digests = [*map(digest_of, words), digest_of(words[0])]
    digests.sort()
    if order == "shuffled":
        random.Random(1).shuffle(digests)  # noqa: S311 - the same order at each run

    leaked = build(digests)

    assert len(leaked) == count
    assert all(leaked.holds(word) for word in words)
    assert not any(leaked.holds(f"unheard of {number}") for number in range(200))


def test_a_published_list_is_read_with_its_counts():
    lines = [b"%s:3\r\n" % digest_of("often").hex().upper().encode(), b"\n"]
    lines.append(digest_of("once").hex().encode() + b":1")

    assert list(breached.read_digests(lines)) == [digest_of("often"), digest_of("once")]
    assert list(breached.read_digests(lines, at_least=2)) == [digest_of("often")]


@pytest.mark.parametrize("line", [b"password", b"00:1", b"zz", b"00" * 20 + b":many", b"\xff"])
def test_a_line_that_is_no_digest_is_named(line):
    with pytest.raises(ValueError, match="line 2 is no SHA-1"):
        list(breached.read_digests([b"00" * 20, line]))


@pytest.mark.parametrize("content", [b"", b"x" * 19, b"b" * 20 + b"a" * 20])
def test_a_file_that_is_no_list_is_refused(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)

    with pytest.raises(ValueError, match="other"):
        BreachedPasswords(path)


def test_a_list_that_breaks_off_leaves_the_earlier_one(build, tmp_path):
    build([digest_of("old")])

    with pytest.raises(ValueError, match="line 1"):
        breached.build(breached.read_digests([b"nonsense"]), tmp_path / "leaked")

    assert BreachedPasswords(tmp_path / "leaked").holds("old")
    assert [path.name for path in tmp_path.iterdir()] == ["leaked"]
