"""How parameters are read, of whatever arrives."""

from contextlib import suppress
from urllib.parse import parse_qsl

from hypothesis import example, given
from hypothesis import strategies as st

from oidc_server.web.incoming import BadRequestError, Params

MOST = 200
PIECES = [
    b"a",
    b"b",
    b"=",
    b"&",
    b";",
    b"+",
    b"%",
    b"%20",
    b"%2",
    b"%zz",
    b"%c3%a9",
    b"%C3",
    b"%00",
]
PIECES += [b"%26", b"%3D", b"%25", b"\xc3\xa9", b"\0", b" ", b"#", b"?", b"\n"]


def as_python_reads(encoded: bytes) -> dict[str, list[str]] | None:
    """The values of each name; None for what is refused: too many, no UTF-8, or a NUL."""
    found: dict[str, list[str]] = {}
    with suppress(ValueError):
        pairs = parse_qsl(
            encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST
        )
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        return None if any("\0" in text for pair in pairs for text in pair) else found
    return None


@given(st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join))
@example(b"&".join([b"a=1"] * MOST))
@example(b"&" * MOST)
@example(b"&".join([b"a=1"] * 1000))
def test_parameters_are_read_as_python_reads_them(encoded: bytes) -> None:
    expected = as_python_reads(encoded)

    read: Params | None = None
    with suppress(BadRequestError):
        read = Params.parse(encoded)

    if read is None or expected is None:
        assert (read, expected) == (None, None)
    else:
        assert list(read) == list(expected)
        assert read.repeated() == [name for name, values in expected.items() if len(values) > 1]
        for name, values in expected.items():
            assert read.all(name) == [value for value in values if value]
