"""What people are called: usernames and addresses in the one form in which they are compared.

Whoever signs up must not be mistaken for somebody else, so a username is letters of one script,
digits and `._-`, and two that look alike have the same canonical form or one of them is refused.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import email_validator

from oidc_server.domain.base import FieldError, parse_id

T = TypeVar("T")

MAX_USERNAME = 64
MAX_EMAIL = 254
"""RFC 5321 §4.5.3.1.3, as everybody reads it."""
MAX_NAME = 100
_MAX_TYPED = 1024
"""Nobody types more; what is longer is not even normalised."""

_DOTLESS = str.maketrans(
    {"\N{LATIN SMALL LETTER DOTLESS I}": "i", "\N{LATIN SMALL LETTER DOTLESS J}": "j"}
)
_JOINERS = "\u200c\u200d"
_WRITTEN_TOGETHER = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"CJK", "BOPOMOFO"}),
)
# Unicode TR39 calls them whole-script confusables: a name of nothing but these reads as Latin.
_LOOK_LATIN = frozenset("асеорхуіјѕһԁԛԝӏѵονριυκτχγ")
_PLAIN_LATIN = frozenset("abcdefghijklmnopqrstuvwxyzæœøđðþłħŋə")


class InvalidFieldError(FieldError):
    """Something a person entered cannot be taken; `code` says why, `shape` what can be."""

    shape = ""

    def __init__(self, code: str) -> None:
        reason = code.replace("_", " ")
        hint = f": write {self.shape}" if self.shape and code == "invalid" else ""
        super().__init__(f"The {self.field.replace('_', ' ')} cannot be taken ({reason}){hint}.")
        self.code = code


class InvalidUsernameError(InvalidFieldError):
    """Codes: missing, invalid, too_long, confusable."""

    field = "username"
    shape = "letters, digits and ._- without spaces"


class InvalidEmailError(InvalidFieldError):
    """Codes: missing, invalid, too_long."""

    field = "email"
    shape = "an address like ann@example.com"


class InvalidNameError(InvalidFieldError):
    """Codes: invalid, too_long."""

    field = "name"


def refusals(check: Callable[[T], object], value: T) -> list[InvalidFieldError]:
    """What a rule says against this: nothing, or one error."""
    try:
        check(value)
    except InvalidFieldError as error:
        return [error]
    return []


def canonical_username(text: str) -> str:
    """The form in which a username is unique; raises `InvalidUsernameError`."""
    canonical = folded(text)
    if not canonical:
        raise InvalidUsernameError("missing")
    if len(text) > _MAX_TYPED or len(canonical) > MAX_USERNAME:
        raise InvalidUsernameError("too_long")
    if not all(_is_allowed(char) for char in canonical):
        raise InvalidUsernameError("invalid")
    letters = [char for char in canonical if not char.isascii() or char.isalpha()]
    if not letters and not any(char.isdigit() for char in canonical):
        raise InvalidUsernameError("invalid")
    # Addresses and commands take an id where they take a username: one must not pass for the other.
    if _is_confusable(letters) or parse_id(canonical) is not None:
        raise InvalidUsernameError("confusable")
    return canonical


def shown_username(text: str) -> str:
    """A username as pages show it: what was typed, without its accidents."""
    return unicodedata.normalize("NFKC", text).strip()


def normal_email(text: str) -> str:
    """An address as mail is sent to it; raises `InvalidEmailError`."""
    stripped = text.strip()
    if not stripped:
        raise InvalidEmailError("missing")
    if len(stripped) > MAX_EMAIL:
        raise InvalidEmailError("too_long")
    try:
        # RFC 2606 §2 keeps `.test` for trying things out, and trying a server is one of them.
        # Few mail servers take other letters before the @; a domain has its `xn--` form for them.
        found = email_validator.validate_email(
            stripped, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except email_validator.EmailNotValidError:
        raise InvalidEmailError("invalid") from None
    return found.ascii_email or found.normalized


def canonical_email(text: str) -> str:
    """The form in which verified addresses are unique; raises `InvalidEmailError`."""
    return normal_email(text).casefold()


def normal_name(text: str) -> str | None:
    """A display name, None when there is none; raises `InvalidNameError`."""
    name = unicodedata.normalize("NFC", text[:_MAX_TYPED]).strip()
    if len(name) > MAX_NAME:
        raise InvalidNameError("too_long")
    if any(unicodedata.category(char)[0] == "C" and char not in _JOINERS for char in name):
        raise InvalidNameError("invalid")
    return name or None


def guessed(identifier: str) -> str:
    """What somebody typed to sign in, in the one form in which it is looked up and counted.

    Two spellings are equal if they find the same account, be it there or not: else counts would
    tell which addresses have one. Never refuses: what cannot be an address finds nobody, and so
    equals none.
    """
    canonical = folded(identifier)
    if "@" not in canonical:
        return canonical
    try:
        return canonical_email(identifier)
    except InvalidEmailError:
        return identifier[: _MAX_TYPED + 1]


def folded(text: str) -> str:
    """NFKC and case folding until nothing changes, without the dots that only some i have."""
    text = unicodedata.normalize("NFKC", text[: _MAX_TYPED + 1]).casefold()
    text = unicodedata.normalize("NFKC", text).translate(_DOTLESS)
    text = re.sub("i\u0307+", "i", text)
    return unicodedata.normalize("NFKC", text).strip()  # another accent can join the i now


def _is_allowed(char: str) -> bool:
    """Letters, the vowel signs that some scripts write as marks, ASCII digits, and `._-`."""
    if char.isascii():
        return re.fullmatch(r"[a-z0-9._-]", char) is not None
    name = unicodedata.name(char, "")
    if "FILLER" in name or "INHERENT" in name:  # letters that nobody sees
        return False
    if char == "ー":
        return True
    category = unicodedata.category(char)
    return category in ("Ll", "Lo", "Lu") or (category in ("Mn", "Mc") and _script(char) != "LATIN")


def _is_confusable(letters: list[str]) -> bool:
    scripts = {_script(char) for char in letters}
    if len(scripts) > 1:
        return not any(scripts <= together for together in _WRITTEN_TOGETHER)
    if scripts == {"LATIN"}:
        return not all(unicodedata.normalize("NFD", char)[0] in _PLAIN_LATIN for char in letters)
    return bool(letters) and _LOOK_LATIN.issuperset(letters)


def _script(char: str) -> str:
    """The script of a letter: the first word of its Unicode name says it."""
    if char == "ー":  # belongs to both kana
        return "KATAKANA"
    return unicodedata.name(char, "").partition(" ")[0]
