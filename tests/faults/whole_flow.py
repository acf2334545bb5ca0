"""A day at the server: everything that hands out or takes a secret, with a note of each secret."""

import re
import time
from dataclasses import dataclass, field

from httpx2 import Response

from tests.browser import Browser, Page
from tests.device.devices import Device
from tests.factories import App, Person
from tests.relying_party import RelyingParty
from tests.services.deployment import Deployment
from tests.services.smtp import MailServer

_PATIENCE = 60.0
_SIGNED_UP = Person("", "newcomer", "newcomer@example.com", "seven lanterns above a harbour")
_LEFT_ALONE = Person("", "sleeper", "sleeper@example.com", "nine bridges below a mountain")


@dataclass
class Day:
    """What happened. `secrets` are all that were handed out or typed; the rest still works."""

    deployment: Deployment
    smtp: MailServer
    party: RelyingParty
    service: App
    person: Person
    browser: Browser
    secrets: dict[str, str] = field(default_factory=dict)
    code: str = ""
    access_token: str = ""
    refresh_token: str = ""
    reset_link: str = ""
    verify_link: str = ""
    setup_link: str = ""
    request_id: str = ""
    initial_access_token: str = ""
    registered_id: str = ""
    registration_access_token: str = ""
    request_uri: str = ""
    device: Device | None = None

    def note(self, **values: str | None) -> None:
        for name, value in values.items():
            if value:
                self.secrets[f"{name} {len(self.secrets)}"] = value

    def note_page(self, page: Response) -> Response:
        for name, value in Page(page).hidden().items():
            if name in ("csrf_token", "link"):
                self.note(**{name: value})
        return page

    def note_cookies(self, browser: Browser) -> None:
        for cookie in browser.client.cookies.jar:
            self.note(**{f"cookie {cookie.name}": cookie.value})

    def mailed_link(self, address: str, path: str) -> str:
        """The value of the newest link to `path` in the mails to that address."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for mail in reversed(self.smtp.mails_to(address)):
                body = mail.get_body(("plain",))
                assert body is not None
                if found := re.search(rf"{path}\?link=(\S+)", body.get_content()):
                    self.note(link=found[1])
                    return found[1]
            time.sleep(0.05)
        raise AssertionError(f"no mail to {address} has a link to {path}")


def live_a_day(deployment: Deployment, smtp: MailServer) -> Day:
    """Sign up, sign in, lose a password, get and use tokens, and fail at each of it once."""
    day = Day(
        deployment,
        smtp,
        RelyingParty(deployment, deployment.make_client()),
        deployment.make_client("service"),
        deployment.make_user(),
        deployment.browser(),
    )
    day.note(client_secret=day.party.app.client_secret, service_secret=day.service.client_secret)
    _sign_up(day)
    _forget_a_password(day)
    _use_tokens(day)
    _fail(day)
    _leave_things_open(day)
    for token in (day.code, day.access_token, day.refresh_token):
        day.note(left=token)
    return day


def set_up(day: Day) -> None:
    """Use the set-up link."""
    browser = day.deployment.browser()
    page = day.note_page(browser.go(f"/setup?link={day.setup_link}"))
    done = browser.send(
        page, username="boss", email="boss@example.com", password="four teapots behind a curtain"
    )
    assert done.status_code == 200
    day.note(password="four teapots behind a curtain")
    day.note_cookies(browser)


def _sign_up(day: Day) -> None:
    browser, person = day.deployment.browser(), _SIGNED_UP
    page = day.note_page(browser.go("/sign-up"))
    done = browser.send(
        page, username=person.username, email=person.email, password=person.password
    )
    assert done.status_code == 200, done.text
    link = day.mailed_link(person.email, "/verify-email")
    confirmed = browser.send(day.note_page(browser.go(f"/verify-email?link={link}")))
    assert confirmed.status_code == 200
    day.note(password=person.password)
    day.note_cookies(browser)


def _forget_a_password(day: Day) -> None:
    browser, person = day.deployment.browser(), day.deployment.make_user()
    browser.send(day.note_page(browser.go("/password-reset")), username=person.username)
    link = day.mailed_link(person.email, "/password-reset/new")
    page = day.note_page(browser.go(f"/password-reset/new?link={link}"))
    assert browser.send(page, password="eleven kites beside a river").status_code == 200
    day.note(password="eleven kites beside a river", old_password=person.password)
    day.note_cookies(browser)


def _use_tokens(day: Day) -> None:
    party, browser, person = day.party, day.deployment.browser(), day.person
    code = party.authorize(browser, person).code
    tokens = party.redeem(code).json()
    day.note(code=code, verifier=party.verifier)
    for _ in range(2):
        day.note(
            access_token=tokens["access_token"],
            refresh_token=tokens["refresh_token"],
            id_token=tokens["id_token"],
        )
        assert party.userinfo(tokens["access_token"]).status_code == 200
        assert party.introspect(tokens["access_token"])["active"]
        tokens = party.refresh(tokens["refresh_token"]).json()
    day.note(access_token=tokens["access_token"], refresh_token=tokens["refresh_token"])
    assert party.post("/revoke", token=tokens["refresh_token"]).status_code == 200
    day.note_cookies(browser)
    browser.go(f"/logout?id_token_hint={tokens['id_token']}")
    day.note(id_token=tokens["id_token"])

    http, service = day.deployment.http, day.service
    assert service.client_secret is not None
    answer = http.post(
        "/token",
        data={"grant_type": "client_credentials"},
        auth=(service.client_id, service.client_secret),
    )
    assert answer.status_code == 200, answer.text
    day.note(access_token=answer.json()["access_token"])


def _fail(day: Day) -> None:
    """Secrets that are wrong, or in a wrong place, are secrets nearly."""
    party, http, browser = day.party, day.deployment.http, day.deployment.browser()
    wrong = {name: f"wrong-{name}-0123456789abcdefghijklmnopqrstuvwxyz" for name in _WRONG}
    day.note(**wrong)
    page = browser.go("/login")
    browser.send(page, username=_SIGNED_UP.username, password=wrong["password"])
    browser.go(f"/login?password={wrong['password']}")
    browser.go(f"/verify-email?link={wrong['link']}")
    browser.go(f"/setup?link={wrong['link']}")
    browser.go(party.url(request="eyJhbGciOiJub25lIn0.e30.", code_verifier=wrong["verifier"]))
    party.redeem(wrong["code"])
    party.redeem(party.authorize(browser, day.person).code, code_verifier="x" * 50)
    party.refresh(wrong["token"])
    party.userinfo(wrong["token"])
    party.introspect(wrong["token"])
    http.get(f"/userinfo?access_token={wrong['token']}")
    http.get(f"/nowhere/{wrong['code']}?code={wrong['code']}")
    http.post("/token", content=wrong["token"], headers={"content-type": "text/plain"})
    http.post(
        "/token",
        data={"grant_type": "client_credentials"},
        auth=(day.service.client_id, wrong["secret"]),
    )
    http.get("/account", headers={"cookie": f"sid={wrong['cookie']}"})


_WRONG = ("password", "link", "verifier", "code", "token", "secret", "cookie")


def _leave_things_open(day: Day) -> None:
    """What a thief would like to find: each of these still opens something."""
    deployment, party, browser, person = day.deployment, day.party, day.browser, day.person
    tokens = party.redeem(party.authorize(browser, person).code).json()
    day.access_token, day.refresh_token = tokens["access_token"], tokens["refresh_token"]
    day.code = party.authorize(browser, person).code
    waiting = browser.go(party.url(prompt="login"))
    day.request_id = Page(waiting).hidden()["request_id"]
    day.note_cookies(browser)

    other = deployment.browser()
    other.send(other.go("/password-reset"), username=person.username)
    day.reset_link = day.mailed_link(person.email, "/password-reset/new")
    sleeper = _LEFT_ALONE
    page = day.note_page(other.go("/sign-up"))
    other.send(page, username=sleeper.username, email=sleeper.email, password=sleeper.password)
    day.note(password=sleeper.password)
    day.verify_link = day.mailed_link(sleeper.email, "/verify-email")
    setup = deployment.command_line.answer("setup-link")["setup_link"]
    day.setup_link = setup.partition("link=")[2]
    day.note(link=day.setup_link)
