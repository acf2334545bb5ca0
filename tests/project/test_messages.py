"""Every language says everything: `make messages` finds the words, and none stays untranslated."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from oidc_server.languages import CATALOGUES, SUPPORTED
from tests.project.repository import ROOT, read, tracked_files

TRANSLATED = [language for language in SUPPORTED if language != "en"]
MAPPING = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "Words": None}

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
TAG = re.compile(r"</?[a-z][^>]*>")


def words_of_the_program() -> set[str | tuple[str, ...]]:
    found: set[str | tuple[str, ...]] = set()
    for folder in ("templates", "oidc_server"):
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, MAPPING, keywords=KEYWORDS):
            if message:
                found.add(message)
    return found


@pytest.fixture(scope="module")
def words() -> set[str | tuple[str, ...]]:
    return words_of_the_program()


def catalogue_of(language: str) -> Catalog:
    path = CATALOGUES / language / "LC_MESSAGES" / "messages.po"
    return read_po(io.BytesIO(path.read_bytes()), locale=language)


def translations(language: str) -> Iterator[tuple[Message, str]]:
    """Each message with each of its forms."""
    for message in catalogue_of(language):
        if message.id:
            texts: Any = message.string
            for text in texts if isinstance(texts, tuple) else (texts,):
                yield message, text


def originals(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_language_has_every_message_and_none_that_is_gone(language, words):
    known = {message.id for message in catalogue_of(language) if message.id}

    assert sorted(map(str, words - known)) == []
    assert sorted(map(str, known - words)) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_for_good(language):
    unfinished = [
        message.id for message, text in translations(language) if not text or message.fuzzy
    ]

    assert unfinished == []
    assert list(catalogue_of(language).obsolete) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_of_its_message(language):
    """A singular may leave out the number, which it says in a word."""
    wrong = []
    for message, text in translations(language):
        allowed = {frozenset(PLACEHOLDER.findall(original)) for original in originals(message)}
        if frozenset(PLACEHOLDER.findall(text)) not in allowed or "%" in PLACEHOLDER.sub("", text):
            wrong.append(text)

    assert wrong == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_markup_of_its_message_and_no_other(language):
    """Templates trust what is between their tags: a catalogue must not bring new ones."""
    wrong = [
        text
        for message, text in translations(language)
        if sorted(TAG.findall(text)) not in [sorted(TAG.findall(one)) for one in originals(message)]
        or ("<" in TAG.sub("", text))
    ]

    assert wrong == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_does_not_end_in_space_that_its_message_lacks(language):
    wrong = [text for _, text in translations(language) if text != text.strip()]

    assert wrong == []


def test_there_is_a_catalogue_for_each_language_and_no_other():
    folders = {path.relative_to("oidc_server/locale").parts[0] for path in catalogues()}

    assert folders == set(TRANSLATED)


def catalogues() -> list[Path]:
    return [path for path in tracked_files("oidc_server/locale/") if path.suffix == ".po"]


def test_times_are_written_by_the_language_of_the_page():
    written = [str(path) for path in tracked_files("templates/") if "strftime" in read(path)]

    assert written == []


def test_no_line_of_french_begins_with_its_punctuation():
    loose = [text for _, text in translations("fr") if re.search(" [?!;:»]|« ", text)]

    assert loose == []
