"""Amounts of credit: decimals with two places on the wire, integers of hundredths inside."""

import re
from decimal import Decimal

from oidc_server.domain.ledger.tables import MAX_AMOUNT

_WRITTEN = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2}))?")


def parse_amount(value: object) -> int:
    """Hundredths, from a decimal as text or a number that never was a float.

    ValueError for anything else: exponents, signs, a third place, less than 0.01, more than 10^12.
    """
    written = str(value) if type(value) in (int, str, Decimal) else ""
    found = _WRITTEN.fullmatch(written)
    if found is None:
        raise ValueError("Write it as a decimal with at most two places, such as 12.50.")
    hundredths = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    if not 1 <= hundredths <= MAX_AMOUNT:
        raise ValueError(f"It must be from 0.01 to {MAX_AMOUNT // 100}.")
    return hundredths


def parse_change(value: object) -> int:
    """The same with a minus sign allowed, for what may go either way."""
    written = str(value) if type(value) in (int, str, Decimal) else ""
    if written.startswith("-"):
        return -parse_amount(written[1:])
    return parse_amount(value)


def format_amount(hundredths: int) -> str:
    """The decimal with two places: text, since readers of JSON make floats of numbers."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02}"
