"""OAuth 2.0 Form Post Response Mode: the answer is a form that carries nothing but text."""

from html.parser import HTMLParser

import pytest

from tests.relying_party import signed_in
from tests.site import Site


class Form(HTMLParser):
    """Reads a page as a browser does: its form, its fields, its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str | None]] = []
        self.fields: list[tuple[str | None, str | None]] = []
        self.scripts: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append(found)
        elif tag == "input":
            self.fields.append((found.get("name"), found.get("value")))
        elif tag == "script":
            self.scripts.append(found.get("src"))


STATES = (
    "plain",
    '"><script>alert(1)</script>',
    "' onfocus='alert(1)",
    "&quot;&lt;&#39;",
    "\u00fcn\u00efc\u00f6de \u202e \U0001f600",
    "</form><form action=https://evil.example.org>",
    "x" * 8192,
)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("scope", ["openid", "admin"])
def test_success_and_error_are_sent_as_a_form(site: Site, state: str, scope: str) -> None:
    party, browser, _, _ = signed_in(site)

    page = browser.go(party.url(response_mode="form_post", state=state, scope=scope))

    form = Form(page.text)
    fields = dict(form.fields)
    expected = {"code"} if scope == "openid" else {"error", "error_description"}
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert len(form.forms) == 1
    assert form.forms[0]["method"] == "post"
    assert form.forms[0]["action"] == party.app.redirect_uri
    assert len(form.fields) == len(fields)
    assert set(fields) == expected | {"state", "iss"}
    assert fields["state"] == state
    assert fields["iss"] == site.issuer
    assert all(src and src.startswith("/static/") for src in form.scripts)


def test_the_form_may_only_go_to_the_client(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    page = browser.go(party.url(response_mode="form_post"))

    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://app.example.net;" in f"{policy};"
    assert "script-src 'self';" in policy


def test_an_address_with_quotes_stays_one_attribute(site: Site) -> None:
    uri = "https://app.example.net/callback?a='b'&c=%22d%22"
    party, browser, _, _ = signed_in(site, redirect_uris=(uri,))

    page = browser.go(party.url(response_mode="form_post"))

    assert Form(page.text).forms[0]["action"] == uri


def test_the_code_of_the_form_is_worth_tokens(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    fields = dict(Form(browser.go(party.url(response_mode="form_post")).text).fields)

    assert party.redeem(fields["code"] or "").status_code == 200


def test_silence_is_answered_by_form_too(site: Site) -> None:
    party, _, _, _ = signed_in(site)

    page = site.browser().get(party.url(response_mode="form_post", prompt="none"))

    assert dict(Form(page.text).fields)["error"] == "login_required"
