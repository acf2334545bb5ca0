"""Many guesses and sign-ins at one moment, two workers: what is counted is counted exactly."""

import re
from collections.abc import Callable
from itertools import count as count_from
from itertools import cycle

import pyotp
import pytest
from httpx2 import Response

from tests.browser import Browser, Page
from tests.factories import PASSWORD, Person
from tests.races.simultaneous import at_once, form_request
from tests.services.deployment import Deployment
from tests.services.smtp import MailServer

pytestmark = [pytest.mark.race, pytest.mark.slow]
FREE_GUESSES = 10
BROWSERS = 16


def log_in(
    deployment: Deployment, person: Person, path: str = "/login"
) -> tuple[Browser, Response]:
    browser = deployment.browser()
    return browser, browser.log_in(browser.go(path), person)


def add_authenticator(deployment: Deployment, person: Person) -> list[str]:
    """Give somebody an app; returns their recovery codes."""
    browser, _ = log_in(deployment, person)
    path = "/account/security/authenticator"
    asked = browser.go(path)
    page = browser.send(asked, form=form_to(asked, path), current_password=PASSWORD)
    secret = re.search(r"secret=([A-Z2-7]+)", page.text)
    assert secret is not None
    shown = browser.send(
        page, form=form_to(page, str(page.url.path)), name="", code=pyotp.TOTP(secret[1]).now()
    )
    codes = re.findall(r"([a-z0-9]{4}-[a-z0-9]{4})%0A", shown.text)
    assert len(codes) == 10, shown.text
    return codes


def form_to(page: Response, path: str) -> int:
    shown = Page(page)
    return next(at for at in range(len(shown.forms)) if shown.action(at) == path)


def test_of_simultaneous_guesses_at_a_second_factor_no_more_count_than_are_free(
    deployment: Deployment,
) -> None:
    """Whichever factor they are at, and in however many browsers the password was given."""
    person = deployment.make_user()
    codes = add_authenticator(deployment, person)
    requests = []
    for _, guess in zip(
        range(BROWSERS), cycle([{"code": "000000"}, {"recovery_code": "aaaa-aaaa"}])
    ):
        browser, page = log_in(deployment, person)
        if "recovery_code" in guess:
            page = browser.go(f"{page.url.path}?factor=recovery_code")
        requests.append(form_request(browser, page, **guess))

    answers = at_once(deployment, requests)

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [401] * FREE_GUESSES + [429] * (BROWSERS - FREE_GUESSES)
    browser, page = log_in(deployment, person)
    right = browser.send(
        browser.go(f"{page.url.path}?factor=recovery_code"), recovery_code=codes[0]
    )
    assert right.status_code == 429


def test_simultaneous_guesses_at_the_code_of_a_mail_use_up_those_that_are_free(
    deploy: Callable[..., Deployment], smtp: MailServer
) -> None:
    """Five are free: after four at once the right one is let in, after more it is not."""
    deployment = deploy(smtp_url=f"smtp://{smtp.host}:{smtp.port}?starttls=off", sign_up="open")
    for name, guesses, then in (("ada", 4, 303), ("bob", BROWSERS, 422)):
        browser, email = deployment.browser(), f"{name}@example.com"
        browser.send(browser.go("/sign-up"), username=name, email=email, password=PASSWORD)
        code, page = code_to(email, smtp), browser.go("/verify-email/code")
        wrong = form_request(browser, page, code=f"{(int(code) + 1) % 10**8:08}")

        answers = at_once(deployment, [wrong] * guesses)

        assert [answer.status_code for answer in answers] == [422] * guesses
        assert browser.client.send(form_request(browser, page, code=code)).status_code == then


def code_to(email: str, smtp: MailServer) -> str:
    for count in count_from(1):
        for mail in smtp.wait_for(count):
            body = mail.get_body(("plain",))
            assert body is not None
            found = re.search(r"^(\d{4}) (\d{4})\r?$", body.get_content(), re.MULTILINE)
            if mail["to"] == email and found is not None:
                return found[1] + found[2]
    raise AssertionError("unreachable")


def test_passwords_that_find_no_room_to_be_hashed_get_503_and_are_not_counted(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(
        hash_concurrency="1", hash_queue="1", argon2_time_cost="8", argon2_memory_kib="65536"
    )
    person = deployment.make_user()
    requests = []
    for _ in range(2 * BROWSERS):
        browser = deployment.browser()
        requests.append(
            form_request(
                browser, browser.go("/login"), username=person.username, password="a wrong guess"
            )
        )

    answers = at_once(deployment, requests)

    busy = [answer for answer in answers if answer.status_code == 503]
    tried = [answer for answer in answers if answer.status_code == 401]
    # Who comes while as many as are free are still on their way into the queue is told to wait.
    assert {answer.status_code for answer in answers} <= {401, 429, 503}
    assert len(busy) + len(tried) >= FREE_GUESSES
    assert {answer.headers["retry-after"] for answer in busy} == {"2"}
    # Each worker hashes one, and one waits: had the others been counted, nobody could sign in now.
    assert len(tried) < FREE_GUESSES
    assert log_in(deployment, person)[1].status_code == 200


def test_of_simultaneous_sign_ins_so_many_sessions_stay_as_a_person_may_have(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(sessions_per_user="3")
    person = deployment.make_user()
    # A guess counts as wrong until it is proven right, so that more at once would have to wait.
    browsers = [deployment.browser() for _ in range(FREE_GUESSES)]
    requests = [
        form_request(
            browser, browser.go("/login"), username=person.username, password=person.password
        )
        for browser in browsers
    ]

    answers = at_once(deployment, requests)

    assert {answer.status_code for answer in answers} == {303}
    for browser, answer in zip(browsers, answers, strict=True):
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            browser.client.cookies.set(name, value, domain="127.0.0.1")
    live = [browser.client.get("/account").status_code for browser in browsers].count(200)
    assert live == 3
