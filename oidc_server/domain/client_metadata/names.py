"""Names of clients, as people read them."""

import unicodedata

_MOST_MARKS = 3
"""Marks on one letter; some scripts need that many."""
# Letters and symbols by category, which nobody sees: Hangul fillers, blank Braille, joiners.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")


def is_legible(text: str) -> bool:
    """Whether people see what is there: nothing invisible, reordering or piled up."""
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks > _MOST_MARKS or not char.isprintable() or char in _INVISIBLE:
            return False
    return True
