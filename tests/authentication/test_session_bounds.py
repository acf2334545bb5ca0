"""How long a session may last whatever happens in it, and how many of them a person may have."""

from collections.abc import Callable
from datetime import timedelta

from tests.account.pages import fill
from tests.authentication.forms import is_signed_in, new_browser, post, sign_in
from tests.browser import Browser
from tests.factories import make_user
from tests.factors import Authenticator, first_step, second_step, someone_with_an_app
from tests.site import Site

DAY = timedelta(days=1)


def with_an_app(site: Site) -> tuple[Browser, Authenticator]:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    assert second_step(browser, page, app.code()).status_code == 303
    return browser, app


def step_up(browser: Browser, app: Authenticator) -> str:
    """Prove the second factor once more; what the cookie of the session says."""
    page = browser.go("/login/step-up")
    answer = second_step(browser, page, app.wait())
    assert answer.status_code == 303
    return str(answer.headers["set-cookie"])


def test_a_step_up_does_not_move_the_end_of_a_session(start_site: Callable[..., Site]) -> None:
    site = start_site(session_idle_lifetime=3 * DAY, session_absolute_lifetime=3 * DAY)
    browser, app = with_an_app(site)
    begun = site.clock.now

    for day in (1, 2):
        site.clock.now = begun + day * DAY
        cookie = step_up(browser, app)
        left = int((begun + 3 * DAY - site.clock.now).total_seconds())
        assert f"Max-Age={left}" in cookie

    site.clock.now = begun + 3 * DAY - timedelta(seconds=1)
    assert is_signed_in(browser)
    site.clock.advance(1)
    assert not is_signed_in(browser)


def test_a_whole_sign_in_begins_anew(start_site: Callable[..., Site]) -> None:
    site = start_site(session_idle_lifetime=3 * DAY, session_absolute_lifetime=3 * DAY)
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    site.clock.advance(2 * DAY)

    page = browser.client.get("/login?reason=login_again")
    post(browser, page, username=person.username, password=person.password)

    site.clock.advance(2 * DAY)
    assert is_signed_in(browser)


def test_the_session_that_was_used_longest_ago_makes_room_for_another(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(sessions_per_user=3)
    person, other = make_user(site), make_user(site)
    browsers = [new_browser(site) for _ in range(4)]
    stranger = new_browser(site)
    sign_in(stranger, other.username)
    for browser in browsers[:3]:
        site.clock.advance(60)
        sign_in(browser, person.username)
    site.clock.advance(60)
    # Any form of the console says that the first one is in use.
    fill(browsers[0], "/account/profile", given_name="Ada")

    site.clock.advance(60)
    sign_in(browsers[3], person.username)

    assert [is_signed_in(browser) for browser in browsers] == [True, False, True, True]
    assert is_signed_in(stranger)
