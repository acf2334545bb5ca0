"""Encrypted files, beside an implementation of the format that is not ours."""

import io

import pyrage
import pytest

from oidc_server.security import age

IDENTITY = pyrage.x25519.Identity.generate()
PASSPHRASE = "nine lighthouses in a bottle"
CHUNK = 65536


def opened(file: bytes, key: age.Key) -> bytes:
    return b"".join(age.decrypt(io.BytesIO(file), key))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7])
def test_what_one_implementation_writes_the_other_reads(size):
    content = bytes(index % 251 for index in range(size))
    private, public = age.parse_key(str(IDENTITY)), age.parse_key(str(IDENTITY.to_public()))
    pieces = [content[at : at + 1000] for at in range(0, size, 1000)]

    for key in (private, public):
        assert pyrage.decrypt(b"".join(age.encrypt(pieces, key)), [IDENTITY]) == content
    assert opened(pyrage.encrypt(content, [IDENTITY.to_public()]), private) == content


@pytest.mark.slow
def test_passphrases_are_understood_by_both():
    key = age.parse_key(PASSPHRASE)
    ours = b"".join(age.encrypt([b"ours"], key))

    assert pyrage.passphrase.decrypt(ours, PASSPHRASE) == b"ours"
    assert opened(pyrage.passphrase.encrypt(b"theirs", PASSPHRASE), key) == b"theirs"
    with pytest.raises(age.WrongKeyError, match="passphrase is not the one"):
        opened(ours, age.parse_key("eight lighthouses at sea"))


def test_a_file_that_was_cut_swapped_or_continued_is_refused_wherever_it_was():
    key = age.parse_key(str(IDENTITY))
    file = b"".join(age.encrypt([bytes(3 * CHUNK)], key))
    start = file.index(b"\n--- ") + 49 + 16
    first, second = (file[start + at * (CHUNK + 16) : start + (at + 1) * (CHUNK + 16)]
                     for at in (0, 1))  # fmt: skip
    for damaged in (
        file[:start],
        file[: start + CHUNK + 16],
        file[: start + 100],
        file[:-1],
        file + b"x",
        file[:start] + second + first + file[start + 2 * (CHUNK + 16) :],
        file[: start - 1],
        file[:20],
        b"",
    ):
        with pytest.raises(age.DamagedFileError):
            opened(damaged, key)


def test_the_public_half_opens_nothing_and_another_half_neither():
    public = age.parse_key(str(IDENTITY.to_public()))
    file = b"".join(age.encrypt([b"content"], public))

    for key in (public, age.parse_key(str(pyrage.x25519.Identity.generate()))):
        with pytest.raises(age.WrongKeyError):
            opened(file, key)
    with pytest.raises(age.WrongKeyError, match="opens with a private key"):
        opened(file, age.parse_key(PASSPHRASE))


def test_the_file_of_age_keygen_is_taken_and_a_slip_of_the_pen_is_not():
    text = f"# created: 2026-01-05\n# public key: {IDENTITY.to_public()}\n{IDENTITY}\n"
    key = age.parse_key(text)
    assert isinstance(key, age.Identity)
    assert key.recipient() == age.parse_key(str(IDENTITY.to_public()))

    public = str(IDENTITY.to_public())
    wrong = public[:-1] + ("q" if public[-1] != "q" else "p")
    for mistake in (wrong, public[:-1], "age1", "short", "", f"{public}\n{public}"):
        with pytest.raises(ValueError, match=r"key|passphrase"):
            age.parse_key(mistake)
