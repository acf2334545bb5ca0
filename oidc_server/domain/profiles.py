"""What a person may say about themselves (Core §5.1): a column and a rule for each claim."""

import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.domain import identifiers
from oidc_server.domain.base import Instant, OptionalDocument
from oidc_server.domain.identifiers import InvalidFieldError, InvalidNameError

ADDRESS_MEMBERS = (
    "formatted",
    "street_address",
    "locality",
    "region",
    "postal_code",
    "country",
)
"""Core §5.1.1."""

_LONGEST_LINE = 300
_LONGEST_ADDRESS = 1000
_LONGEST_URL = 1000
_LEAP_YEAR = "2000"
_DAY = re.compile(r"(\d{4})-(\d{2}-\d{2})", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}")
_PHONE = re.compile(r"\+[0-9][0-9 ().-]*(;ext=[0-9]{1,10})?", re.ASCII)
_LINES = frozenset({"formatted", "street_address"})
_WEB_ADDRESS = "an address that begins with https:// or http://"
_SHAPES = {
    "profile": _WEB_ADDRESS,
    "picture": _WEB_ADDRESS,
    "website": _WEB_ADDRESS,
    "birthdate": "YYYY-MM-DD, 0000-MM-DD or YYYY",
    "zoneinfo": "a name like Europe/Paris",
    "locale": "a tag like de-CH",
    "phone_number": "it with + and the country, like +1 604 555 1234",
}


class ProfileColumns:
    """The columns of a person that nothing here depends on: they are told to clients."""

    name: Mapped[str | None] = mapped_column(Text)
    given_name: Mapped[str | None] = mapped_column(Text)
    family_name: Mapped[str | None] = mapped_column(Text)
    middle_name: Mapped[str | None] = mapped_column(Text)
    nickname: Mapped[str | None] = mapped_column(Text)
    profile: Mapped[str | None] = mapped_column(Text)
    picture: Mapped[str | None] = mapped_column(Text)
    website: Mapped[str | None] = mapped_column(Text)
    gender: Mapped[str | None] = mapped_column(Text)
    birthdate: Mapped[str | None] = mapped_column(Text)
    zoneinfo: Mapped[str | None] = mapped_column(Text)
    locale: Mapped[str | None] = mapped_column(Text)
    phone_number: Mapped[str | None] = mapped_column(Text)
    phone_number_verified_at: Mapped[datetime | None] = mapped_column(Instant)
    address: Mapped[dict[str, Any] | None] = mapped_column(OptionalDocument)


class InvalidClaimError(InvalidFieldError):
    """Codes: invalid, too_long."""

    def __init__(self, field: str, code: str) -> None:
        self.field = field
        self.shape = _SHAPES.get(field, "")
        super().__init__(code)


def checked(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The claims as they are stored: None for those that are empty, so none is ever told empty.

    Raises `InvalidFieldError`; KeyError for a claim that nobody may set.
    """
    return {claim: _RULES[claim](claim, value) for claim, value in claims.items()}


def claims_of(person: ProfileColumns) -> dict[str, Any]:
    """All claims of a person, with None for those that they have not."""
    return {claim: getattr(person, claim) for claim in CLAIMS}


def refusals(claims: Mapping[str, Any]) -> list[InvalidFieldError]:
    """What is wrong with these: an error for each claim that cannot be taken."""
    return [
        error
        for claim, value in claims.items()
        for error in identifiers.refusals(checked, {claim: value})
    ]


def problems(claims: Mapping[str, Any]) -> dict[str, str]:
    """The codes of these errors by claim, which pages have words for."""
    return {error.field: error.code for error in refusals(claims)}


@cache
def zones() -> frozenset[str]:
    """The names of all time zones: reading them takes a while, so it is done once."""
    return frozenset(zoneinfo.available_timezones())


def _words(claim: str, value: str | None) -> str | None:
    """A name or the like: the rules of `identifiers.normal_name`."""
    try:
        return identifiers.normal_name(value or "")
    except InvalidNameError as error:
        raise InvalidClaimError(claim, error.code) from None


def _url(claim: str, value: str | None) -> str | None:
    """On https or http only: clients make links and pictures of it."""
    if not (url := (value or "").strip()):
        return None
    if len(url) > _LONGEST_URL:
        raise InvalidClaimError(claim, "too_long")
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web or not url.isascii() or not url.isprintable() or set(url) & set(" \"'<>\\"):
        raise InvalidClaimError(claim, "invalid")
    return url


def _birthdate(claim: str, value: str | None) -> str | None:
    """YYYY-MM-DD, 0000-MM-DD for who keeps the year, YYYY for who tells nothing else."""
    if not (text := (value or "").strip()):
        return None
    if _YEAR.fullmatch(text) and text != "0000":
        return text
    if (day := _DAY.fullmatch(text)) is None:
        raise InvalidClaimError(claim, "invalid")
    year = _LEAP_YEAR if day[1] == "0000" else day[1]
    try:
        date.fromisoformat(f"{year}-{day[2]}")
    except ValueError:
        raise InvalidClaimError(claim, "invalid") from None
    return text


def _zoneinfo(claim: str, value: str | None) -> str | None:
    if not (zone := (value or "").strip()):
        return None
    if zone not in zones():
        raise InvalidClaimError(claim, "invalid")
    return zone


def _locale(claim: str, value: str | None) -> str | None:
    """The shape of a BCP 47 tag."""
    if not (tag := (value or "").strip().replace("_", "-")):
        return None
    if not _LOCALE.fullmatch(tag):
        raise InvalidClaimError(claim, "invalid")
    return tag


def _phone_number(claim: str, value: str | None) -> str | None:
    """E.164 with the signs that people put between digits, and an extension of RFC 3966."""
    if not (number := (value or "").strip()):
        return None
    digits = sum(char.isdigit() for char in number.partition(";")[0])
    if len(number) > 50 or not _PHONE.fullmatch(number) or not 7 <= digits <= 15:
        raise InvalidClaimError(claim, "invalid")
    return number


def _address(claim: str, value: Mapping[str, str] | None) -> dict[str, str] | None:
    """A JSON object of what is there (Core §5.1.1); None when nothing is."""
    members = {}
    for member, text in (value or {}).items():
        if member not in ADDRESS_MEMBERS:
            raise InvalidClaimError(claim, "invalid")
        normal = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
        limit = _LONGEST_ADDRESS if member in _LINES else _LONGEST_LINE
        if len(normal) > limit:
            raise InvalidClaimError(claim, "too_long")
        if not normal.replace("\n", "" if member in _LINES else "\n").isprintable():
            raise InvalidClaimError(claim, "invalid")
        if normal:
            members[member] = normal
    return members or None


_RULES: dict[str, Callable[[str, Any], Any]] = {
    "name": _words,
    "given_name": _words,
    "family_name": _words,
    "middle_name": _words,
    "nickname": _words,
    "profile": _url,
    "picture": _url,
    "website": _url,
    "gender": _words,
    "birthdate": _birthdate,
    "zoneinfo": _zoneinfo,
    "locale": _locale,
    "phone_number": _phone_number,
    "address": _address,
}
CLAIMS = tuple(_RULES)
"""The claims that can be set, in the order of Core §5.1."""
