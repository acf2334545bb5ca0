"""What goes with a browser to an address that a client registered."""

from collections.abc import Iterable
from urllib.parse import quote, urlencode

MAX_STATE = 8192
"""Longest `state` that is returned: the whole response has to fit into an address."""


def with_query(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The address with these parameters added to its own (RFC 6749 §3.1.2)."""
    return f"{uri}{'&' if '?' in uri else '?'}{encode(parameters)}"


def encode(parameters: Iterable[tuple[str, str]]) -> str:
    """Parameters as a query or a fragment has them, a space as %20."""
    return urlencode(list(parameters), quote_via=quote)
