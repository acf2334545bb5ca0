"""Languages of pages and mails: which there are, and which one a person gets."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache, partial
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Self

from jinja2 import Environment

NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "zh": "简体中文"}
"""What each language calls itself."""

SUPPORTED = tuple(NAMES)

CATALOGUES = Path(__file__).parent / "locale"
"""A folder for each language but English, which is what the templates are written in."""

_LONGEST = 1000
"""Characters of a list of preferences that are looked at: time grows with their square."""
# Tags separated by spaces (`ui_locales`) or by commas and with weights (`Accept-Language`).
_TAG = re.compile(r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?")

# Dates of English pages stand in the order of most of its readers: 29 Nov 2026.
_CALENDARS = {"en": "en_GB", "zh": "zh_Hans"}


class Words(str):  # noqa: SLOT000 - what a str is made from has no place in its slots
    """A sentence of the program that people read: English, until `translate` is given it.

    `Words("Wait %(seconds)s seconds.", seconds=5)`; what it is called with stays as it is.
    """

    message: str
    values: dict[str, object]

    def __new__(cls, message: str, **values: object) -> Self:
        words = super().__new__(cls, message % values if values else message)
        words.message, words.values = message, values
        return words


def translate(language: str, text: str) -> str:
    """`Words` in that language; any other text as it is."""
    if not isinstance(text, Words):
        return text
    translated = catalogue(language).gettext(text.message)
    return translated % text.values if text.values else translated


def catalogue(language: str) -> NullTranslations:
    """Return the translations into a supported language; KeyError for any other."""
    if language not in SUPPORTED:
        raise KeyError(language)
    return _read(language)


@cache
def _read(language: str) -> NullTranslations:
    """Compiled when somebody first asks for it: that takes less time than a build step is worth."""
    if language == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - costs time and memory at the start
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = BytesIO()
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def tag(language: str) -> str:
    """What `<html lang>` says of a supported language: Chinese is told by its script."""
    return "zh-Hans" if language == "zh" else language


def date_text(language: str, at: datetime) -> str:
    """Such as `29 Nov 2026`."""
    from babel.dates import format_skeleton  # noqa: PLC0415 - costs time and memory at the start

    return format_skeleton("yMMMd", at, at.tzinfo, locale=_CALENDARS.get(language, language))


def moment_text(language: str, at: datetime) -> str:
    """Such as `29 Nov 2026, 23:05 UTC`, always with the zone."""
    comma = "" if language == "zh" else ","
    return f"{date_text(language, at)}{comma} {at:%H:%M %Z}".rstrip()


def install(environment: Environment, language: str) -> None:
    """Let templates translate (`_`, `ngettext`, `trans`) into a supported language, their `lang`.

    The filters `date` and `date_time` write a time in it; `language_tag` names it to
    the browser, `language_name` to people.

    Needs the extension `jinja2.ext.i18n`.
    """
    words = catalogue(language)
    environment.globals["lang"] = language
    environment.filters.update(
        date=partial(date_text, language),
        date_time=partial(moment_text, language),
        language_tag=tag,
        language_name=NAMES.get,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        words.gettext, words.ngettext, newstyle=True
    )


def negotiate(*preferences: str | None, supported: Sequence[str] = SUPPORTED) -> str:
    """Choose the language to answer in.

    Each preference is a list of language tags, the most telling one first: `ui_locales`
    (Core §3.1.2.1), a person's `locale`, `Accept-Language` (RFC 9110 §12.5.4). A tag that is not
    supported is shortened from its end (RFC 4647 §3.4). `supported` is in lower case; its first
    language is the answer when nothing matches.
    """
    wanted = (
        candidate
        for preference in preferences
        for tag in _ordered((preference or "")[:_LONGEST])
        for candidate in _shortened(tag)
    )
    return next((language for language in wanted if language in supported), supported[0])


def _ordered(preference: str) -> Iterator[str]:
    """Yield the tags of a list, the best liked first, the refused (`q=0`) not at all."""
    weighed = [(tag.lower(), float(weight or 1)) for tag, weight in _TAG.findall(preference)]
    for tag, weight in sorted(weighed, key=lambda item: -item[1]):
        if weight > 0:
            yield tag


def _shortened(tag: str) -> Iterator[str]:
    """Yield `pt-br-x`, `pt-br`, `pt`."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]
