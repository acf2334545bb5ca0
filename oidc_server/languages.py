"""Languages of pages and mails: which there are, and which one a person gets."""

import re
from collections.abc import Iterator, Sequence
from gettext import NullTranslations

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

SUPPORTED = ("en",)

# Tags separated by spaces (`ui_locales`) or by commas and with weights (`Accept-Language`).
_TAG = re.compile(r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?")

# The words in the templates are English, so English needs no translation.
_CATALOGUES = {"en": NullTranslations()}


def catalogue(language: str) -> NullTranslations:
    """Return the translations into a supported language; KeyError for any other."""
    return _CATALOGUES[language]


def install(environment: Environment) -> None:
    """Let templates translate (`_`, `ngettext`, `trans`) into the `lang` they are rendered with.

    Needs the extension `jinja2.ext.i18n`; macros that translate are imported `with context`.
    """

    @pass_context
    def gettext(context: Context, message: str) -> str:
        return catalogue(context["lang"]).gettext(message)

    @pass_context
    def ngettext(context: Context, singular: str, plural: str, count: int) -> str:
        return catalogue(context["lang"]).ngettext(singular, plural, count)

    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]


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
        for tag in _ordered(preference or "")
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
