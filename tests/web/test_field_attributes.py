"""What forms tell password managers and keyboards: each field says what belongs into it."""

import re
from html.parser import HTMLParser

import pytest

from tests.authentication.forms import ask_for_reset, new_browser, sign_in
from tests.factories import make_user
from tests.mails import link_in, read_mails
from tests.project.repository import read, tracked_files

NAME = {"autocapitalize": "none", "spellcheck": "false"}
IDENTIFIER = {**NAME, "type": "text", "inputmode": "email"}
CURRENT = {**NAME, "type": "password", "autocomplete": "current-password"}
NEW = {
    **NAME,
    "type": "password",
    "autocomplete": "new-password",
    "passwordrules": "minlength: 8;",
}
OWN_NAME = {"type": "text", "autocomplete": "username"}
TABLE = {
    "/login": {"username": IDENTIFIER, "password": CURRENT},
    "/sign-up": {
        "name": {"autocomplete": "name"},
        "username": {**NAME, **OWN_NAME},
        "email": {**NAME, "type": "email", "autocomplete": "email"},
        "password": NEW,
    },
    "/password-reset": {"username": IDENTIFIER},
    "/password-reset/new": {"username": OWN_NAME, "password": NEW},
    "/device": {"user_code": {"autocomplete": "off", "autocapitalize": "characters"}},
    "/account/security/password": {
        "username": OWN_NAME,
        "current_password": CURRENT,
        "password": NEW,
    },
}
SIGNED_IN = "/account/"
_CALL = re.compile(r"\{\{ *field\((.*?)\) *\}\}", re.DOTALL)


class _Inputs(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.labelled: set[str | None] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "label":
            self.labelled.add(attributes.get("for"))
        if tag == "input" and attributes.get("type") != "hidden":
            self.found[attributes["name"] or ""] = attributes


def open_page(site, path):
    browser, person = new_browser(site), make_user(site)
    if path == "/password-reset/new":
        ask_for_reset(browser, person.username)
        return browser.go(link_in(read_mails(site)[-1])).text
    if path.startswith(SIGNED_IN):
        sign_in(browser, person.username)
    return browser.go(path).text


@pytest.mark.parametrize("path", TABLE)
def test_every_field_tells_what_belongs_into_it(site, path):
    inputs = _Inputs(open_page(site, path))

    assert inputs.found.keys() == TABLE[path].keys()
    for name, wanted in TABLE[path].items():
        shown = inputs.found[name]
        assert {key: shown.get(key) for key in wanted} == wanted, name
        assert "maxlength" not in shown or "password" not in name
        assert "onpaste" not in shown
        if "hidden" not in shown:
            assert shown["id"] == name
            assert name in inputs.labelled


@pytest.mark.parametrize("path", ["/login"])
def test_the_name_to_sign_in_with_is_a_username(site, path):
    found = _Inputs(open_page(site, path)).found

    # `webauthn` comes last, where a page offers passkeys (Web Authentication §11).
    assert found["username"]["autocomplete"] in ("username", "username webauthn")


@pytest.mark.parametrize(
    "path", [path for path in tracked_files("templates/") if path.suffix == ".html"], ids=str
)
def test_no_field_of_any_form_leaves_it_open(path):
    calls = _CALL.findall(read(path))

    assert [call for call in calls if "autocomplete=" not in call] == []
