"""Filling the forms of the account console."""

from httpx2 import Response

from tests.authentication.forms import post_to
from tests.browser import Browser, Page


def send(browser: Browser, page: Response, to: str, **fields: str) -> Response:
    """Send the form of a page that posts to a path; follow nothing."""
    shown = Page(page)
    [form] = [at for at in range(len(shown.forms)) if shown.action(at) == to][:1]
    return post_to(browser, to, **{**shown.hidden(form), **fields})


def fill(browser: Browser, path: str, **fields: str) -> Response:
    """Open a page, fill its own form and send it; the answer to the form itself."""
    return send(browser, browser.client.get(path), path, **fields)
