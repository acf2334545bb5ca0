"""A server that was lived in, and commands that move what it holds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from oidc_server.clock import utc_now
from oidc_server.domain import ledger
from oidc_server.domain.ledger import Order
from tests.browser import Browser
from tests.factories import App, Person
from tests.factors import Authenticator, add_authenticator
from tests.relying_party import RelyingParty, signed_in
from tests.services.typed import Done, Terminal
from tests.site import Site, running_site, settings_for

SECRET = "a secret of the tests that is long enough to be one"
KEY = "AGE-SECRET-KEY-1AJ8AZ9T34NUSFZ5JQWEWJ00T8PLDP5A9E6R0CFCUQZYA5DHFSSWS385JNN"
PUBLIC_KEY = "age1wpm7p7e2p9m9chnlhhp24s4vttu60taaz8q04skrvjm7z43twcmsgw7dxd"


@dataclass
class Life:
    """What somebody was given on a server: it works until it is ended."""

    app: App
    person: Person
    authenticator: Authenticator
    cookies: dict[str, str]
    code: str
    tokens: dict[str, Any]

    def on(self, site: Site) -> tuple[RelyingParty, Browser]:
        """The same application and browser, at a server with another database."""
        client = site.browser()
        client.cookies.update(self.cookies)
        return RelyingParty(site, self.app), Browser(client, site.issuer)


@contextmanager
def site_on(database_url: str, folder: Path, **changes: Any) -> Iterator[Site]:
    """A server whose clock shows the time of commands."""
    secret = changes.pop("secret", SECRET)
    secret = (SecretStr(secret),) if isinstance(secret, str) else secret
    settings = settings_for(database_url, folder, secret_key=secret, **changes)
    with running_site(settings) as site:
        site.clock.now = utc_now()
        yield site


def live(site: Site) -> Life:
    """Sign in, with a second factor, credits, and a code that was not redeemed."""
    party, browser, person, tokens = signed_in(site, skip_consent=True)
    answer = party.read(browser.go(party.url(prompt="none")))
    order = Order(party.app.client_id, None, "of a test")
    with site.db() as db:
        ledger.add(db, person.id, 500, order=order, now=site.clock.now)
        spent = ledger.use(db, person.id, 300, order=order, now=site.clock.now)
        assert isinstance(spent, ledger.Entry)
        ledger.refund(db, person.id, spent.id, 100, order=order, now=site.clock.now)
    authenticator = add_authenticator(site, person)
    site.clock.advance(timedelta(seconds=-30))
    cookies = dict(browser.client.cookies)
    return Life(party.app, person, authenticator, cookies, answer.code, tokens)


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Run a command on a database: `command(url, "backup", "file")`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OIDC_ISSUER", "https://id.example.com")
    monkeypatch.setenv("OIDC_SECRET_KEY", SECRET)
    monkeypatch.setenv("OIDC_BACKUP_KEY", KEY)
    terminal = Terminal(monkeypatch, capsys)

    def command(database_url: str, *arguments: str, stdin: str | bytes = "") -> Done:
        monkeypatch.setenv("OIDC_DATABASE_URL", database_url)
        monkeypatch.setenv("OIDC_DATA_DIR", str(tmp_path / "data"))
        return terminal.run(*arguments, stdin=stdin)

    return command
