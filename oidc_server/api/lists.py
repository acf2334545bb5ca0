"""Long lists of the API, page by page: each says where the next begins, in an opaque cursor."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import Field

from oidc_server.api.models import Count, Query
from oidc_server.domain.base import parse_id
from oidc_server.security import base64url
from oidc_server.web.incoming import BadRequestError

Row = TypeVar("Row")

_LARGEST_NUMBER = 2**63 - 1
_LONGEST_CURSOR = 2048


class ForeignCursorError(BadRequestError):
    """A cursor that the list did not give."""

    def __init__(self) -> None:
        super().__init__("The cursor is not one that this list gave.")


class PageQuery(Query):
    """Which page of a list."""

    limit: Count = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, description="`next_cursor` of the page before.")


def write_cursor(*key: str | int) -> str:
    """Where the next page begins: the key of the last row, as one opaque word.

    It gives nothing that the caller may not read anyway, so it is not signed.
    """
    encoded = json.dumps(key, separators=(",", ":")).encode()
    return base64url.encode(encoded)


def read_cursor(cursor: str, *kinds: type[str] | type[int]) -> tuple[Any, ...]:
    """The key in a cursor of ours, with members of these kinds; raises `ForeignCursorError`."""
    key = _decoded(cursor) if len(cursor) <= _LONGEST_CURSOR else None
    is_key = isinstance(key, list) and len(key) == len(kinds) and all(map(_fits, key, kinds))
    if not isinstance(key, list) or not is_key or write_cursor(*key) != cursor:
        raise ForeignCursorError
    return tuple(key)


def read_id_cursor(cursor: str | None) -> str | None:
    """The id in the cursor of a list in the order of ids, if there is a cursor.

    Raises `ForeignCursorError`.
    """
    if cursor is None:
        return None
    found = parse_id(read_cursor(cursor, str)[0])
    if found is None:
        raise ForeignCursorError
    return found


def page_of(
    found: Sequence[Row], limit: int, key: Callable[[Row], tuple[str | int, ...]]
) -> tuple[Sequence[Row], str | None]:
    """The rows of a page and the cursor of the next, None at the end.

    What was `found` is one row more than fits, if there is one; `key` says where a row stands.
    """
    page = found[:limit]
    return page, write_cursor(*key(page[-1])) if len(found) > limit else None


def _decoded(cursor: str) -> object:
    try:
        return json.loads(base64url.decode(cursor))
    except (ValueError, RecursionError):
        return None


def _fits(member: object, kind: type) -> bool:
    """Whether a member may go into a statement as it is."""
    if type(member) is not kind:
        return False
    if isinstance(member, int):
        return abs(member) <= _LARGEST_NUMBER
    return isinstance(member, str) and "\0" not in member and _is_text(member)


def _is_text(member: str) -> bool:
    try:
        member.encode()
    except UnicodeEncodeError:
        return False
    return True
