"""A person who goes to another provider and comes back, at a browser without scripts."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from httpx2 import Response

from oidc_server.domain import identity_providers
from oidc_server.domain.identity_providers import Description, IdentityProvider
from tests.authentication.forms import post_to
from tests.browser import Browser, Page
from tests.services.provider import Provider
from tests.site import Site

_ONWARD = re.compile(r'<meta http-equiv="refresh" content="0; url=([^"]*)">')


def add_provider(
    site: Site, provider: Provider, name: str = "acme", **said: Any
) -> IdentityProvider:
    """What an operator does once."""
    described: dict[str, Any] = {"label": name.capitalize(), "client_id": provider.client_id}
    with site.db() as db:
        return identity_providers.add(
            db,
            site.runtime.vault,
            name=name,
            issuer=provider.issuer,
            description=Description(**{**described, **said}),
            client_secret=provider.client_secret,
            now=site.clock.now,
        )


def onward(page: Response) -> str:
    """Where a browser goes on to from a page that says so."""
    found = _ONWARD.search(page.text)
    assert page.status_code == 200, (page.status_code, page.text[:3000])
    assert found is not None, page.text[:3000]
    return unescape(found[1])


def press(browser: Browser, page: Response, name: str = "acme") -> Response:
    """Press the button of a provider on a page."""
    shown = Page(page)
    [number] = [at for at, one in enumerate(shown.forms) if f'id="provider-{name}"' in one]
    return post_to(browser, shown.action(number), **shown.hidden(number))


def leave(browser: Browser, path: str = "/login", name: str = "acme") -> str:
    """From a page of ours to the address at the provider."""
    return onward(press(browser, browser.client.get(path), name))


def come_back(browser: Browser, query: str, name: str = "acme") -> Response:
    """The answer of the provider arrives; follows our redirects, and pages that lead to us."""
    response = browser.go(f"/login/providers/{name}/callback?{query}")
    if (found := _ONWARD.search(response.text)) is None:
        return response
    href = unescape(found[1])
    assert urlsplit(href).netloc == ""
    return browser.go(href)


def sign_in_with(
    browser: Browser, provider: Provider, path: str = "/login", name: str = "acme"
) -> Response:
    """The whole way there and back."""
    return come_back(browser, provider.authorize(leave(browser, path, name)), name)
