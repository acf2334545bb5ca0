"""What people do on the pages, in a real browser."""

from email.message import EmailMessage
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.examples.running import PASSWORD
from tests.services.smtp import MailServer


def authorize_url(issuer: str, client_id: str, redirect_uri: str, **more: str) -> str:
    """Where an application sends somebody who is to sign in to it."""
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "openid profile email offline_access",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    return f"{issuer}/authorize?{urlencode(query | more)}"


def sign_in(page: Page, issuer: str, username: str, password: str = PASSWORD) -> None:
    """Open the sign-in page, and send it."""
    page.goto(f"{issuer}/login")
    page.fill("#username", username)
    page.fill("#password", password)
    page.click("#sign-in")


def sign_up(page: Page, issuer: str, username: str) -> None:
    """Make an account on the page for it, which ends on the account page."""
    page.goto(f"{issuer}/sign-up")
    page.fill("#username", username)
    page.fill("#email", f"{username}@example.com")
    page.fill("#password", PASSWORD)
    page.click("#sign-up")
    expect_account_of(page, username)


def expect_account_of(page: Page, name: str) -> None:
    """The account page is shown, and greets that person."""
    expect(page.locator("h1")).to_have_text(f"Hello, {name}")


def mail_to(address: str, smtp: MailServer, count: int = 1) -> EmailMessage:
    """The latest of so many mails to an address, among those to everybody else."""
    while len(mails := smtp.mails_to(address)) < count:
        smtp.wait_for(len(smtp.messages) + 1)
    return mails[-1]


def link_in(mail: EmailMessage, issuer: str) -> str:
    """The first link in a mail, which leads to the server that sent it."""
    part = mail.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    [link] = [word for word in text.split() if word.startswith(issuer)][:1]
    assert urlsplit(link).query
    return link


def reload_until_shown(page: Page, sought: Locator) -> None:
    """Reload a page until something is on it that a job of the server puts there."""
    for _ in range(100):
        if sought.count():
            return
        page.wait_for_timeout(100)
        page.reload()
    expect(sought).to_be_visible()
