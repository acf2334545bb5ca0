"""Many people want the same thing at the same moment: a name, the set-up, a new password."""

import re
from collections.abc import Callable

import pytest

from tests.factories import PASSWORD
from tests.races.simultaneous import at_once, form_request
from tests.services.deployment import Deployment
from tests.services.smtp import MailServer

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 20


def test_a_username_that_twenty_people_want_at_once_goes_to_one(deployment: Deployment) -> None:
    browsers = [deployment.browser() for _ in range(AT_ONCE)]
    requests = [
        form_request(
            browser,
            browser.go("/sign-up"),
            username="Ada" if number % 2 else "ada",
            email=f"ada{number}@example.com",
            password=PASSWORD,
        )
        for number, browser in enumerate(browsers)
    ]

    answers = at_once(deployment, requests)

    assert sorted(answer.status_code for answer in answers) == [303] + [409] * (AT_ONCE - 1)
    accounts = deployment.command_line.answer("users", "list")
    assert [a["username"].lower() for a in accounts].count("ada") == 1


def test_twenty_people_with_one_address_get_an_account_each_and_no_error(
    deployment: Deployment,
) -> None:
    """Whose address it is shows when it is confirmed, not at the form."""
    browsers = [deployment.browser() for _ in range(AT_ONCE)]
    requests = [
        form_request(
            browser,
            browser.go("/sign-up"),
            username=f"twin{number}",
            email="twins@example.com",
            password=PASSWORD,
        )
        for number, browser in enumerate(browsers)
    ]

    answers = at_once(deployment, requests)

    assert {answer.status_code for answer in answers} == {303}


def test_of_twenty_simultaneous_set_ups_one_makes_the_administrator(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy()
    found = re.search(r"Set it up, once: \S+(/setup\?link=\S+)", deployment.server.logs())
    assert found is not None
    link = found[1]
    browsers = [deployment.browser() for _ in range(AT_ONCE)]
    requests = [
        form_request(
            browser,
            browser.go(link),
            username=f"first{number}",
            email=f"first{number}@example.com",
            password=PASSWORD,
        )
        for number, browser in enumerate(browsers)
    ]

    answers = at_once(deployment, requests)

    assert sorted(answer.status_code for answer in answers) == [303] + [404] * (AT_ONCE - 1)
    accounts = deployment.command_line.answer("users", "list")
    assert [account["roles"] for account in accounts] == [["admin", "user"]]
    assert deployment.browser().go(link).status_code == 404
    assert deployment.command_line.run("setup-link").returncode == 1


def test_a_reset_link_used_twenty_times_at_once_sets_the_password_of_the_winner(
    deploy: Callable[..., Deployment], smtp: MailServer
) -> None:
    deployment = deploy(smtp_url=f"smtp://{smtp.host}:{smtp.port}?starttls=off")
    person = deployment.make_user()
    asking = deployment.browser()
    asking.send(asking.go("/password-reset"), username=person.username)
    [mail] = smtp.wait_for(1)
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"/password-reset/new\?link=\S+", body.get_content())
    assert found is not None
    browsers = [deployment.browser() for _ in range(AT_ONCE)]
    requests = [
        form_request(browser, browser.go(found[0]), password=f"{PASSWORD} {number}")
        for number, browser in enumerate(browsers)
    ]

    answers = at_once(deployment, requests)

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (AT_ONCE - 1)
    [winner] = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert log_in(deployment, person.username, f"{PASSWORD} {winner}") == 200
    for loser in {0, AT_ONCE - 1} - {winner}:
        assert log_in(deployment, person.username, f"{PASSWORD} {loser}") == 401
    assert log_in(deployment, person.username, person.password) == 401


def log_in(deployment: Deployment, username: str, password: str) -> int:
    """The status of the page that a sign-in leads to."""
    browser = deployment.browser()
    answer = browser.send(browser.go("/login"), username=username, password=password)
    return answer.status_code


def test_an_invitation_used_twenty_times_at_once_makes_one_account(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(sign_up="invite")
    deployment.make_user()
    made = deployment.command_line.answer("users", "invite")
    link = made["link"].partition("/sign-up")[2]
    browsers = [deployment.browser() for _ in range(AT_ONCE)]
    requests = [
        form_request(
            browser,
            browser.go(f"/sign-up{link}"),
            username=f"guest{number}",
            email=f"guest{number}@example.com",
            password=PASSWORD,
        )
        for number, browser in enumerate(browsers)
    ]

    answers = at_once(deployment, requests)

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 400, 503}  # 503: too many passwords wait to be hashed
    accounts = deployment.command_line.answer("users", "list")
    assert len([a for a in accounts if a["username"].startswith("guest")]) == 1
