"""Cursors of lists: taken back only as they were given."""

import pytest

from oidc_server.api.lists import ForeignCursorError, read_cursor, write_cursor
from oidc_server.security import base64url


def test_a_cursor_leads_back_to_its_key() -> None:
    assert read_cursor(write_cursor("ada", 7), str, int) == ("ada", 7)


@pytest.mark.parametrize(
    "cursor",
    [
        base64url.encode(b'[ "ada", 7]'),
        base64url.encode(b'["ada",7.0]'),
        base64url.encode(b'["ada",true]'),
        base64url.encode(b'["ada"]'),
        base64url.encode(b'["a\\u0000",7]'),
        "no cursor",
    ],
)
def test_what_a_list_would_not_write_is_no_cursor(cursor: str) -> None:
    with pytest.raises(ForeignCursorError):
        read_cursor(cursor, str, int)
