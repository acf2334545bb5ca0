"""What a log never shows: secrets, whatever field or text they hide in, and forged lines.

A field is masked when any word of its name sounds like a secret, unless the name is known to be
harmless: in doubt something is missing from the log, not open in it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

MASK = "***"

_MAX_TEXT = 20_000
_MAX_DEPTH = 6

_SECRET_WORDS = frozenset(
    (
        *("assertion", "authorization", "bearer", "code", "codes", "cookie", "cookies"),
        *("credential", "credentials", "csrf", "dpop", "jwt", "link", "links", "otp", "totp"),
        *("passphrase", "passwd", "password", "passwords", "private", "pwd", "secret", "secrets"),
        *("signature", "ticket", "token", "tokens", "verifier"),
    )
)
_HARMLESS = frozenset(
    (
        *("status_code", "error_code", "exit_code", "smtp_code", "language_code"),
        *("code_challenge_method", "token_type", "token_type_hint", "token_endpoint"),
        "token_endpoint_auth_method",
    )
)
_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")

_PERCENT = "%(?:25)*"  # also when encoded again, as an address inside an address is
_NAME = re.compile(
    rf"(?:{_PERCENT}[0-9A-Fa-f]{{2}})?([A-Za-z][\w-]{{0,63}})"
    rf"(?:[\"']?\s{{0,3}}(?:[=:]|{_PERCENT}3[Dd])\s{{0,3}}|[\"'],\s{{0,3}}(?=b?[\"']))"
)
_VALUE = re.compile(  # up to the closing quote or bracket, or to the end if the text was cut off
    r"b?\"(?:[^\"\\]|\\.)*\"?|b?'(?:[^'\\]|\\.)*'?"
    r"|\[[^\]]*\]?|\([^)]*\)?|\{[^}]*\}?|[^\s&;,\"'<>(){}\[\]]+",
    re.DOTALL,
)
_WHOLE = (
    # A header's value may hold blanks and commas: it ends with its line, or with its quotes.
    re.compile(
        r"(?i)\b((?:set-)?cookie|(?:proxy-)?authorization)\b"
        r"([\"']?\s*[:=,]\s*(?:b?[\"'])?)([^\r\n\"']+)"
    ),
    re.compile(r"(?i)\b(bearer|basic|dpop)(\s+)([\w.~+/=-]{8,})"),
    # Values of statements, as SQLAlchemy and PostgreSQL append them to their errors.
    re.compile(r"(\[parameters)(: )([^\n]*)"),
    re.compile(r"(DETAIL)(:\s*)([^\n]*)"),
)
_BARE = (
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]*(?:\.[\w-]*)*"),  # a JWT
    re.compile(r"(?<=://)[^\s/@]+(?=@)"),  # user and password of an address
)
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_HARMLESS_TEXT = re.compile(
    r"(?!.*(?:eyJ|bearer|basic|dpop))[\w ./()#?&+-]{0,200}", re.ASCII | re.IGNORECASE
)
"""Most texts: without any of the signs that the patterns above need."""


def clean(name: str, value: object, depth: int = 0) -> object:
    """`value` of the field `name` as it may be shown: only None, numbers, text, lists and dicts."""
    if value is None or isinstance(value, bool):
        return value
    if is_secret(name):
        return MASK
    if isinstance(value, int | float):
        return value
    if depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {clean_text(str(k)): clean(str(k), v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(name, item, depth + 1) for item in value]
    if isinstance(value, bytes | bytearray):
        return clean_text(value.decode("latin-1"))
    return clean_text(value if isinstance(value, str) else repr(value))


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether a field or parameter of that name holds a secret."""
    words = [word.lower() for word in _BETWEEN_WORDS.split(name)]
    whole = name.lower().replace("-", "_").split("_")  # DPoP is one word
    return not _SECRET_WORDS.isdisjoint((*words, *whole)) and "_".join(words) not in _HARMLESS


def clean_text(text: str, *, multiline: bool = False) -> str:
    """`text` without secrets, on one line and without control characters.

    `multiline` keeps line breaks, indented, so that no line of it looks like one of the log's own.
    """
    if _HARMLESS_TEXT.fullmatch(text) and not multiline:
        return text
    if len(text) > _MAX_TEXT:
        text = text[:_MAX_TEXT] + "…"
    for pattern in _WHOLE:
        text = pattern.sub(rf"\1\2{MASK}", text)
    text = _mask_pairs(text)
    for pattern in _BARE:
        text = pattern.sub(MASK, text)
    if multiline:
        return "\n".join(f"  {_escaped(line)}" for line in text.split("\n"))
    return _escaped(text)


def _mask_pairs(text: str) -> str:
    """`name=value`, `name: value` and the like, in addresses, forms, JSON and Python's repr."""
    parts: list[str] = []
    done = 0
    for name in _NAME.finditer(text):
        if name.start() < done or not is_secret(name[1]):
            continue
        if value := _VALUE.match(text, name.end()):
            parts += text[done : value.start()], MASK
            done = value.end()
    return "".join((*parts, text[done:]))


def _escaped(line: str) -> str:
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], line)
