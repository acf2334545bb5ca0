"""/password-meter: how good a new password is, told to the script of the page while one types."""

import re

import pytest

from tests.authentication.forms import csrf, new_browser, post_to
from tests.factories import make_user
from tests.project.repository import read

GOOD = "wobbly kettle under seven moons"


def ask(site, password, **fields):
    browser = new_browser(site)
    return post_to(
        browser, "/password-meter", csrf_token=csrf(browser), password=password, **fields
    )


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "too_short"),
        ("x" * 1025, "too_long"),
        ("password1234", "too_common"),
        ("qwertyuiop[]", "too_common"),
        ("trombones", "guessable_word"),
        ("ann.lee-1990!", "contains_name"),
        ("bell\x07bell bell", "control_characters"),
    ],
)
def test_what_is_wrong_with_a_password_is_told_before_it_is_sent(site, password, problem):
    answer = ask(site, password, username="ann.lee")

    assert answer.status_code == 200
    assert answer.json()["problem"] == problem
    assert answer.json()["score"] <= 2


def test_a_password_that_can_be_taken_has_no_problem_and_a_good_score(site):
    assert ask(site, GOOD).json() == {"score": 4, "problem": None}


def test_the_page_has_words_for_everything_that_the_meter_can_say(site):
    page = new_browser(site).client.get("/sign-up").text
    judged = read("oidc_server/security/passwords/rules.py")
    estimated = read("oidc_server/security/passwords/estimate.py")

    codes = {"breached", "guessable_anyhow", "good-3", "good-4"}
    codes |= set(re.findall(r'Judgement\("(\w+)"\)', judged))
    codes |= {
        f"guessable_{reason}"
        for reason in re.findall(r'^    "\w+": "(\w+)"', estimated, re.MULTILINE)
    }

    assert len(codes) > 10
    assert [code for code in sorted(codes) if f'data-told="{code}"' not in page] == []


def test_without_scripts_there_is_no_meter(site):
    page = new_browser(site).client.get("/sign-up").text

    assert 'data-of="password" hidden>' in page


def test_the_meter_answers_our_own_pages_only_and_looks_at_no_account(site):
    make_user(site, username="somebody")
    browser = new_browser(site)
    token = csrf(browser)

    foreign = browser.client.post(
        "/password-meter",
        data={"csrf_token": token, "password": GOOD},
        headers={"sec-fetch-site": "cross-site"},
    )
    forged = post_to(browser, "/password-meter", csrf_token="forged", password=GOOD)
    read_only = browser.client.get("/password-meter")

    assert [foreign.status_code, forged.status_code, read_only.status_code] == [403, 403, 405]
    assert ask(site, GOOD).json() == ask(site, GOOD, username="somebody else").json()


def test_the_meter_can_be_asked_as_fast_as_one_types_and_no_faster(start_site):
    site = start_site(rate_limits=True)
    browser = new_browser(site)
    token = csrf(browser)

    answers = [
        post_to(browser, "/password-meter", csrf_token=token, password="short").status_code
        for _ in range(125)
    ]

    assert set(answers[:115]) == {200}
    assert answers[-1] == 429
