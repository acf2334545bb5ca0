"""A provider that answers nonsense: nobody gets in, nothing breaks, no word of it goes further."""

from urllib.parse import quote

import pytest

from tests.authentication.forms import is_signed_in, new_browser
from tests.authentication.providers.leaving import (
    add_provider,
    come_back,
    leave,
    onward,
    press,
    sign_in_with,
)

HUGE = float("inf")
"""As JSON can say it: 1e999."""


@pytest.mark.parametrize("auth_time", [2**39, HUGE, "soon"])
def test_a_time_that_no_calendar_has_breaks_nothing(site, provider, auth_time):
    add_provider(site, provider)
    provider.token = {"auth_time": auth_time}

    page = sign_in_with(new_browser(site), provider)

    assert page.status_code in (200, 400)


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "\0"},
        {"error": "a\nlevel=error"},
        {"error": {"a": ["b"]}},
        {"error": "x" * 10_000},
        {"expires_in": 2**70},
        {"expires_in": {}},
        {"access_token": "a\r\nX-Evil: b"},
        {"id_token": "." * 60_000},
    ],
    ids=lambda answer: repr(answer)[:40],
)
def test_tokens_that_are_none_sign_nobody_in(site, provider, answer):
    add_provider(site, provider)
    provider.answer = answer
    browser = new_browser(site)

    page = sign_in_with(browser, provider)

    assert page.status_code in (200, 400)  # what is beside the ID Token may be nonsense
    assert not is_signed_in(browser)


@pytest.mark.parametrize("error", ["\0", "a\nb", "\u202e<script>", "x" * 5000])
def test_an_error_that_is_none_is_not_repeated(site, provider, error):
    add_provider(site, provider)
    browser = new_browser(site)
    query = provider.authorize(leave(browser), code=None)

    page = come_back(browser, f"{query}&error={quote(error)}")

    assert page.status_code == 400
    assert error not in page.text


def test_names_that_would_lie_on_a_page_are_left_out(site, provider):
    add_provider(site, provider, trusts_email=True)
    provider.claims = {
        "name": "a\u202ebc",
        "preferred_username": "x\ny",
        "email": "a@b.example\r\nBcc: c@d.example",
        "email_verified": True,
        "picture": "https://x.example/" + "p" * 10_000,
    }

    page = sign_in_with(new_browser(site), provider)

    assert page.status_code == 200
    for lie in ("\u202e", "Bcc", "x.example"):
        assert lie not in page.text


def test_a_name_with_markup_is_a_name(site, provider):
    add_provider(site, provider)
    provider.claims = {"name": '"><script>alert(1)</script>'}

    page = sign_in_with(new_browser(site), provider)

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "https://[::1",
    ],
)
@pytest.mark.parametrize("endpoint", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_a_provider_cannot_have_our_network_asked(site, provider, endpoint, url):
    add_provider(site, provider)
    provider.metadata = {endpoint: url}
    browser = new_browser(site)

    page = press(browser, browser.client.get("/login"))
    if page.status_code == 200:
        page = come_back(browser, provider.authorize(onward(page)))

    # What an ID Token says is enough: without userinfo only the rest is missing. Elsewhere, that an
    # address is private may show only when its name is resolved, and then nobody is asked.
    assert page.status_code in ((200,) if endpoint == "userinfo_endpoint" else (400, 503))
    assert not is_signed_in(browser)
    assert provider.paths_asked("/userinfo") == 0
