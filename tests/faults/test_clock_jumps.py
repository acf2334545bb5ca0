"""The clock of a node jumps, by minutes and by hours, and is put right again."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from oidc_server.security.jose import ALGORITHMS
from tests.browser import Browser
from tests.factories import Person
from tests.faults.recovery import assert_no_bug_was_logged
from tests.races.moving_credits import Mover
from tests.relying_party import RelyingParty
from tests.services.clock import SharedClock
from tests.services.deployment import Deployment
from tests.services.smtp import MailServer, Mood
from tests.waiting import wait_for

pytestmark = [pytest.mark.race, pytest.mark.slow]
HOURS = timedelta(hours=5)
MINUTES = timedelta(minutes=7)
A_MINUTE_LATER = timedelta(minutes=1)
EITHER_WORKER = 4
"""So often what either worker may have to do is asked for."""


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    return SharedClock(tmp_path / "clock")


def test_what_happened_while_the_clock_was_ahead_keeps_nobody_waiting_when_it_is_right_again(
    deploy: Callable[..., Deployment], clock: SharedClock
) -> None:
    deployment = deploy(clock=clock)
    party = RelyingParty(deployment, deployment.make_client())
    mover = Mover(deployment)
    for by in (HOURS, MINUTES):
        person, guessed = deployment.make_user(), deployment.make_user()
        browser = deployment.browser()
        tokens = party.redeem(party.authorize(browser, person).code).json()

        clock.advance(by)
        assert deployment.http.get("/health/ready").status_code == 503
        spent = party.authorize(browser, person).code
        assert party.redeem(spent).status_code == 200
        unspent = party.authorize(browser, person).code
        refreshed = party.refresh(tokens["refresh_token"]).json()
        guess_until_told_to_wait(deployment, guessed)
        mover.sign_in()
        moved = mover.move("add", f"once-{by.seconds}", amount="1.00")

        clock.advance(-by)
        for one in (guessed, person):
            sign_in(deployment.browser(), one)
        mover.sign_in()
        assert mover.move("add", f"once-{by.seconds}", amount="1.00") == moved
        assert party.redeem(spent).status_code == 400
        assert sorted(party.redeem(unspent).status_code for _ in range(3)) == [200, 400, 400]
        assert party.refresh(refreshed["refresh_token"]).status_code == 200
        for _ in range(EITHER_WORKER):
            assert_signs(deployment, party, browser, person)
            assert deployment.http.get("/health/ready").status_code == 200
    assert mover.balance() == "2.00"
    assert_no_bug_was_logged(deployment)


def test_mails_that_were_asked_for_while_the_clock_was_ahead_go_when_it_is_right_again(
    deploy_sqlite: Callable[..., Deployment], clock: SharedClock, smtp: MailServer
) -> None:
    smtp_url = f"smtp://{smtp.host}:{smtp.port}?starttls=off"
    deployment = deploy_sqlite(clock=clock, smtp_url=smtp_url, workers=1)
    tried, fresh = deployment.make_user(), deployment.make_user()
    smtp.mood = Mood.REFUSE_FOR_NOW

    clock.advance(HOURS)
    ask_for_a_new_password(deployment.browser(), tried)
    wait_for(lambda: smtp.attempts > 0)
    ask_for_a_new_password(deployment.browser(), fresh)
    smtp.mood = Mood.ACCEPT
    clock.advance(A_MINUTE_LATER - HOURS)

    wait_for(lambda: len(smtp.messages) == 2)
    time.sleep(1.5)
    assert [len(smtp.mails_to(one.email)) for one in (tried, fresh)] == [1, 1]
    assert "the clock was set back" in deployment.server.logs()


def test_a_clock_that_is_set_back_to_before_everything_began_stops_nothing(
    deploy: Callable[..., Deployment], clock: SharedClock
) -> None:
    deployment = deploy(clock=clock)
    party = RelyingParty(deployment, deployment.make_client())
    person, browser = deployment.make_user(), deployment.browser()
    for by in (MINUTES, HOURS):  # the keys, too, are of later then
        spent = party.authorize(browser, person).code
        tokens = party.redeem(spent).json()
        unspent = party.authorize(browser, person).code

        clock.advance(-by)

        assert deployment.http.get("/health/ready").status_code == 503
        for _ in range(EITHER_WORKER):
            assert_signs(deployment, party, browser, person)
        sign_in(deployment.browser(), person)
        assert sorted(party.redeem(unspent).status_code for _ in range(3)) == [200, 400, 400]
        assert party.refresh(tokens["refresh_token"]).status_code == 200
        assert party.redeem(spent).status_code == 400
    assert_no_bug_was_logged(deployment)


def assert_signs(
    deployment: Deployment, party: RelyingParty, browser: Browser, person: Person
) -> None:
    """There is a key of each algorithm, and what it signs is verified with what is published."""
    answer = party.redeem(party.authorize(browser, person).code)
    published = jwt.PyJWKSet.from_dict(deployment.http.get("/jwks.json").json())
    assert {key.algorithm_name for key in published.keys} == set(ALGORITHMS)
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    for name in ("id_token", "access_token"):
        key = published[jwt.get_unverified_header(tokens[name])["kid"]]
        options: Any = {"verify_iat": False, "verify_exp": False, "verify_aud": False}
        jwt.decode(tokens[name], key.key, algorithms=[key.algorithm_name], options=options)
    assert party.userinfo(tokens["access_token"]).status_code == 200


def sign_in(browser: Browser, person: Person) -> None:
    page = browser.log_in(browser.go("/login"), person)
    assert page.status_code == 200, page.text
    assert 'id="sign-in"' not in page.text


def guess_until_told_to_wait(deployment: Deployment, person: Person) -> None:
    browser = deployment.browser()
    form = browser.go("/login")
    for _ in range(20):
        page = browser.log_in(form, person, password="wrong")
        if page.status_code == 429:
            return
    raise AssertionError("guesses go on for ever")


def ask_for_a_new_password(browser: Browser, person: Person) -> None:
    page = browser.send(browser.go("/password-reset"), username=person.username)
    assert page.status_code == 200
