"""What a new password must not be; what it must be is long enough, and nothing else.

No rule asks for digits or capitals (NIST SP 800-63B-4 §3.1.1.2): they make passwords that people
forget and programs guess.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from oidc_server.security.passwords.estimate import estimate
from oidc_server.security.passwords.normal import MAX_LENGTH

ENOUGH = 3
"""The score of a password that may be chosen: it takes at least a hundred million guesses."""

_LONGEST_WORD = 254
"""Characters of a name or address that are compared: no address is longer. The time that Unicode
normalisation takes grows with the square of them."""
_LEET = str.maketrans("0134578@$!+", "oieastbasit")
_PADDING = "0123456789!?.,;:*+-_=#@$%&/()[]{} "
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
)


class Judgement(NamedTuple):
    """`problem`: why a password may not be chosen, or None; `score`: from 0 to 4, as estimated."""

    problem: str | None
    score: int = 0


def problems(
    password: str, *, minimum: int, context: Iterable[str] = (), site: str = ""
) -> str | None:
    """Why `password` may not be chosen, as a stable code (see `judge`), or None if it may."""
    return judge(password, minimum=minimum, context=context, site=site).problem


def judge(password: str, *, minimum: int, context: Iterable[str] = (), site: str = "") -> Judgement:
    """Whether `password` may be chosen, and how good it is.

    `context` is what the person is known by: username, address, name, the brand; none of it may be
    inside. The name of the `site` may, but whoever guesses will try it first. Codes:
    `control_characters`, `too_short`, `too_long`, `too_common`, `contains_name`, and
    `guessable_…` with what makes it so. Takes some hundredths of a second.
    """
    context = tuple(word[:_LONGEST_WORD] for word in context)
    if len(password) > MAX_LENGTH:
        return Judgement("too_long")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in password):
        return Judgement("control_characters")
    # NIST SP 800-63B-4 §3.1.1.2 counts each Unicode code point as one character.
    if len(unicodedata.normalize("NFC", password)) < minimum:
        return Judgement("too_short")
    folded = _folded(password)
    if any(_names(folded, word) for word in context):
        return Judgement("contains_name")
    if _is_common(folded):
        return Judgement("too_common")
    found = estimate(password, _words((*context, site)))
    problem = None if found.score >= ENOUGH else f"guessable_{found.reason or 'anyhow'}"
    return Judgement(problem, found.score)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _names(folded_password: str, word: str) -> bool:
    """Whether the password contains `word`, or the part of an address before the at sign."""
    whole = _folded(word).strip()
    name = whole.partition("@")[0]
    if len(name) < 4:  # "Jo" is inside too many good passwords
        return bool(name) and folded_password in (name, whole)
    return name in folded_password or name.replace(" ", "") in folded_password.replace(" ", "")


def _words(known: Iterable[str]) -> list[str]:
    """What the person and the site are known by, and its parts: `ann.lee@example.com` has four."""
    wholes = [_folded(text) for text in known]
    parts = [part for text in wholes for part in re.split(r"[\W_]+", text) if len(part) > 2]
    return [*wholes, *parts]


def _is_common(folded: str) -> bool:
    """Whether the password, the unit it repeats, or the bare word in it is a well-known one."""
    if len(set(folded)) < 4:
        return True
    spellings = {folded, _unit(folded)}
    spellings |= {spelling.strip(_PADDING) for spelling in spellings}
    spellings |= {_unit(spelling) for spelling in spellings}
    spellings |= {spelling.translate(_LEET) for spelling in spellings}
    spellings |= {spelling.replace(" ", "") for spelling in spellings}
    return any(_is_row(s) for s in spellings) or not spellings.isdisjoint(_common_passwords())


def _unit(text: str) -> str:
    """The shortest piece that makes `text` when repeated: 'abcabcab' gives 'abc'."""
    for size in range(1, len(text) // 2 + 1):
        piece = text[:size]
        if (piece * (len(text) // size + 1))[: len(text)] == text:
            return piece
    return text


def _is_row(text: str) -> bool:
    """Whether the keys stand side by side on a keyboard or in the alphabet, either way."""
    return len(text) > 3 and any(text in row or text in row[::-1] for row in _ROWS)


@cache
def _common_passwords() -> frozenset[str]:
    """The built-in list, one password a line, already folded."""
    text = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())
