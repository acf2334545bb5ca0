"""Which language a person gets."""

import pytest
from jinja2 import Environment

from oidc_server.languages import SUPPORTED, catalogue, install, negotiate

FOUR = ("en", "de", "fr", "pt-br")


@pytest.mark.parametrize(
    ("preferences", "language"),
    [
        (("fr de",), "fr"),
        (("de; q=0.8, fr;q=0.9, en;q=0.1",), "fr"),
        (("de-AT-1996, en",), "de"),
        (("pt-BR",), "pt-br"),
        (("xx, de;q=0.1",), "de"),
        (("de;q=0, fr;q=0.2",), "fr"),
        (("de", "fr"), "de"),
        ((None, "", "xx", "fr"), "fr"),
        (("x-" * 31_000 + "x, fr", "de"), "de"),  # nobody means it, and it takes no time
    ],
)
def test_the_best_liked_supported_language_is_chosen(
    preferences: tuple[str | None, ...], language: str
) -> None:
    assert negotiate(*preferences, supported=FOUR) == language


@pytest.mark.parametrize(
    "preference", [None, "", "*", "xx", ";;q=,", "pt-PT", "d\u00e9", "-", "q=1"]
)
def test_the_first_language_is_chosen_when_nothing_matches(preference: str | None) -> None:
    assert negotiate(preference, supported=FOUR) == "en"


@pytest.mark.parametrize("language", SUPPORTED)
def test_every_supported_language_has_a_catalogue(language: str) -> None:
    assert catalogue(language).gettext("Sign in")


def test_templates_translate_in_plain_text_in_markup_and_in_numbers() -> None:
    jinja = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    install(jinja, "en")
    template = jinja.from_string(
        "{{ lang }}: {{ _('Hello %(name)s', name=name) }},"
        "{% trans n=2 %}<b>{{ n }} app</b>{% pluralize %}<b>{{ n }} apps</b>{% endtrans %}"
    )

    assert template.render(name="<Ada>") == "en: Hello &lt;Ada&gt;,<b>2 apps</b>"


def test_templates_in_a_language_that_is_not_supported_are_a_mistake() -> None:
    with pytest.raises(KeyError):
        install(Environment(autoescape=True, extensions=["jinja2.ext.i18n"]), "tlh")
