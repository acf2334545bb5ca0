"""Pages can be translated, carry no code and no style, and their forms are protected."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, meta, nodes

from oidc_server import languages
from tests.project.repository import read, tracked_files

TEMPLATES = [path for path in tracked_files("templates/") if path.suffix in {".html", ".txt"}]
MAIL = ("templates/email/", "templates/components/mail.html")
PAGES = [
    path for path in TEMPLATES if path.suffix == ".html" and not path.as_posix().startswith(MAIL)
]
STATIC = [
    path
    for path in tracked_files("static/")
    if not path.is_relative_to("static/vendor")  # as others published it
]

# Its form leaves for the app, and must not take a token of ours along.
LEAVING = Path("templates/authorization/form_post.html")
FORM_MACRO = Path("templates/components/forms.html")

PAGE_BYTES = 60_000

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
TRANSLATED = re.compile(r"\{%-? trans\b.*?endtrans -?%\}", re.DOTALL)
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
NOT_WORDS = re.compile(r"<style>.*?</style>|<code>.*?</code>|<[^>]*>|^Subject:", re.DOTALL)
SPOKEN_ATTRIBUTE = re.compile(r'\b(?:aria-label|alt|placeholder|title)="[^"]*[^\W\d_][^"]*"')
INLINE = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|href=\"javascript:", re.IGNORECASE
)
ELSEWHERE = re.compile(r"(?:src|href|action)=[\"'](?:https?:)?//|url\(", re.IGNORECASE)
ONE_SIDED = re.compile(
    r"(?:margin|padding|border)-(?:left|right|top|bottom)|[;{]\s*(?:left|right)\s*:"
    r"|text-align:\s*(?:left|right)"
)


def words_outside_gettext(template: str) -> list[str]:
    """Return what a reader would see of a template that no translator ever saw."""
    text = JINJA.sub("", TRANSLATED.sub("", COMMENT.sub("", template)))
    spoken = SPOKEN_ATTRIBUTE.findall(text)
    return spoken + re.findall(r"[^\W\d_]+", NOT_WORDS.sub("", text))


def without_templating(template: str) -> str:
    return JINJA.sub("", COMMENT.sub("", template))


def in_english() -> Environment:
    """An environment like that of the server, with what all templates know."""
    jinja = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    languages.install(jinja, "en")
    jinja.globals.update(dict.fromkeys(("url_for", "static", "brand")))
    return jinja


def takes_from_its_page(path: Path) -> bool:
    """Whether a template has names that only the page knows which imports it."""
    tree = in_english().parse(read(path))
    return bool(meta.find_undeclared_variables(tree) - in_english().globals.keys()) or any(
        takes_from_its_page(imported) for imported, _ in imports_of(path)
    )


def imports_of(path: Path) -> list[tuple[Path, bool]]:
    """What a template imports, and whether with its context."""
    return [
        (Path("templates") / node.template.as_const(), node.with_context)
        for node in in_english().parse(read(path)).find_all(nodes.FromImport)
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_every_template_compiles(path: Path) -> None:
    in_english().compile(read(path))


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_a_template_imports_with_its_context_only_what_needs_it(path: Path) -> None:
    needless = [
        imported
        for imported, with_context in imports_of(path)
        if with_context != takes_from_its_page(imported)
    ]

    assert needless == []


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_every_word_of_a_template_can_be_translated(path: Path) -> None:
    assert words_outside_gettext(read(path)) == []


@pytest.mark.parametrize(
    "path", [path for path in PAGES if path not in {LEAVING, FORM_MACRO}], ids=str
)
def test_every_form_of_a_page_comes_from_the_macro_with_the_token(path: Path) -> None:
    assert "<form" not in read(path)


def test_the_form_macro_sends_the_token() -> None:
    macro = read(FORM_MACRO)

    assert macro.count("<form") == 1
    assert 'name="csrf_token" value="{{ csrf_token }}"' in macro


def test_the_form_that_leaves_for_the_app_takes_no_token_along() -> None:
    assert "csrf_token" not in read(LEAVING)


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_page_has_no_script_and_no_style_inside(path: Path) -> None:
    assert INLINE.findall(without_templating(read(path))) == []


@pytest.mark.parametrize("path", [*TEMPLATES, *STATIC], ids=str)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    assert ELSEWHERE.findall(read(path)) == []


@pytest.mark.parametrize("path", [path for path in STATIC if path.suffix == ".css"], ids=str)
def test_styles_name_no_left_and_no_right(path: Path) -> None:
    assert ONE_SIDED.findall(read(path)) == []


def test_a_page_weighs_little() -> None:
    files = sum(len(read(path).encode()) for path in STATIC)
    largest = max(len(read(path).encode()) for path in PAGES)

    assert files + largest < PAGE_BYTES


@pytest.mark.parametrize(
    "path", [path for path in tracked_files("templates/email/") if path.suffix == ".txt"], ids=str
)
def test_every_mail_has_a_subject_a_text_and_a_page(path: Path) -> None:
    subject, gap, *text = read(path).split("\n")

    assert subject.startswith("Subject: ")
    assert gap == ""
    assert any(text)
    assert read(path.with_suffix(".html"))
