"""People with second factors, and the apps that show their codes."""

from dataclasses import dataclass

import pyotp
from httpx2 import Response

from oidc_server.domain import factors
from oidc_server.domain.factors import recovery_codes, totp
from oidc_server.security.totp import STEP
from tests.authentication.forms import new_browser, post, sign_in
from tests.browser import Browser
from tests.factories import Person, make_user
from tests.site import Site


@dataclass(frozen=True)
class Authenticator:
    """An authenticator app, which knows the secret and reads the clock of the tests."""

    site: Site
    factor_id: str
    secret: str

    def code(self, steps: int = 0) -> str:
        """What it shows now, or so many steps later."""
        moment = int(self.site.clock.now.timestamp()) + steps * STEP
        shown: str = pyotp.TOTP(self.secret).at(moment)
        return shown

    def wait(self) -> str:
        """The next code, which nobody has used yet."""
        self.site.clock.advance(STEP)
        return self.code()


def add_authenticator(site: Site, person: Person, name: str = "Phone") -> Authenticator:
    """An app that was confirmed a while ago."""
    vault = site.runtime.vault
    with site.db() as db:
        factor_id = totp.begin(db, vault, person.id, site.clock.now)
        enrolment = totp.find_enrolment(db, vault, person.id, factor_id, site.clock.now)
        assert enrolment is not None
        app = Authenticator(site, factor_id, enrolment.secret)
        assert totp.confirm(db, person.id, enrolment, name, app.code(), site.clock.now)
    site.clock.advance(STEP)
    return app


def add_recovery_codes(site: Site, person: Person) -> list[str]:
    with site.db() as db:
        return recovery_codes.mint(db, site.runtime.vault, person.id, site.clock.now)


def add_mailed_codes(site: Site, person: Person) -> None:
    with site.db() as db:
        assert factors.add_mailed_codes(db, person.id, site.clock.now)


def someone_with_an_app(site: Site) -> tuple[Person, Authenticator]:
    person = make_user(site)
    return person, add_authenticator(site, person)


def first_step(site: Site, person: Person) -> tuple[Browser, Response]:
    """Send name and password in a new browser; returns it at the page of the second step."""
    browser = new_browser(site)
    return browser, browser.client.get(sign_in(browser, person.username).headers["location"])


def second_step(browser: Browser, page: Response, code: str) -> Response:
    """Send a code; the answer to the form itself."""
    field = "recovery_code" if 'name="recovery_code"' in page.text else "code"
    return post(browser, page, **{field: code})
