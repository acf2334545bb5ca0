"""The offer of a passkey after a sign-in with a password: skipped, declined for good, or taken."""

from datetime import timedelta
from urllib.parse import urlsplit

from httpx2 import Response

from tests.account.test_passkeys import names
from tests.authentication.forms import csrf, is_signed_in, new_browser, post, post_to
from tests.authentication.test_passkey_login import enrolled
from tests.authentication.test_passkey_login import sign_in as sign_in_with
from tests.authenticator import Authenticator
from tests.browser import Browser, Page
from tests.factories import Person, make_client, make_user
from tests.factors import add_authenticator, first_step, someone_with_an_app
from tests.relying_party import RelyingParty
from tests.site import Site

OFFER = "/login/passkey-offer"


def log_in(browser: Browser, person: Person, path: str = "/login", can: str = "yes") -> Response:
    """Send name and password, as the script of a device does that could make a passkey."""
    return post(
        browser,
        browser.client.get(path),
        username=person.username,
        password=person.password,
        can_passkey=can,
    )


def where(answer: Response) -> str:
    return urlsplit(answer.headers["location"]).path


def answer_no(browser: Browser, offered: Response, answer: str) -> Response:
    page = browser.client.get(offered.headers["location"])
    shown = Page(page)
    [form] = [at for at in range(len(shown.forms)) if shown.action(at).endswith("/no")]
    return post_to(browser, shown.action(form), **shown.hidden(form), answer=answer)


def ask(browser: Browser) -> Response:
    return post_to(browser, f"{OFFER}/options", csrf_token=csrf(browser))


def make(browser: Browser, authenticator: Authenticator, **fields: str) -> Response:
    credential = authenticator.make(ask(browser).json())
    return post_to(browser, OFFER, csrf_token=csrf(browser), credential=credential, **fields)


def test_who_takes_the_offer_signs_in_with_the_passkey_next_time(site: Site) -> None:
    person, browser, authenticator = make_user(site), new_browser(site), Authenticator()

    offered = log_in(browser, person)
    page = browser.client.get(offered.headers["location"])
    made = make(browser, authenticator)

    assert where(offered) == OFFER
    assert is_signed_in(browser)
    assert "Sign in faster next time" in page.text
    assert made.headers["location"] == "/account"
    assert names(site, person) == ["Passkey"]
    assert sign_in_with(new_browser(site), authenticator).status_code == 303


def test_an_app_that_waits_gets_its_answer_afterwards(site: Site) -> None:
    party = RelyingParty(site, make_client(site, skip_consent=True))
    for take in (True, False):
        person, browser = make_user(site), new_browser(site)
        page = browser.go(party.url())
        offered = browser.client.get(f"/login?{urlsplit(str(page.url)).query}")
        shown = Page(offered)
        answer = log_in(browser, person, path=str(offered.url))
        request_id = shown.hidden()["request_id"]

        assert where(answer) == OFFER
        if take:
            resumed = make(browser, Authenticator(), request_id=request_id)
        else:
            resumed = answer_no(browser, answer, "later")

        final = browser.go(resumed.headers["location"])
        assert party.redeem(party.read(final).code).status_code == 200


def test_nobody_is_stopped_whose_browser_did_not_say_that_it_could(site: Site) -> None:
    """Without scripts the field stays empty."""
    person = make_user(site)

    assert where(log_in(new_browser(site), person, can="")) == "/account"
    shown = Page(new_browser(site).client.get("/login")).hidden()
    assert shown["can_passkey"] == ""


def test_it_is_offered_once_in_thirty_days(site: Site) -> None:
    person = make_user(site)
    first = log_in(new_browser(site), person)
    site.clock.advance(timedelta(days=29))
    second = log_in(new_browser(site), person)
    site.clock.advance(timedelta(days=1))
    third = log_in(new_browser(site), person)

    assert [where(answer) for answer in (first, second, third)] == [OFFER, "/account", OFFER]


def test_not_now_is_for_now_and_never_is_for_good(site: Site) -> None:
    for answer, again in (("later", OFFER), ("never", "/account")):
        person, browser = make_user(site), new_browser(site)
        no = answer_no(browser, log_in(browser, person), answer)
        assert no.headers["location"] == "/account"

        site.clock.advance(timedelta(days=400))
        assert where(log_in(new_browser(site), person)) == again


def test_a_trusted_browser_is_offered_none_that_would_open_the_account_elsewhere(
    site: Site,
) -> None:
    """What it is spared after the password, adding a passkey asks for."""
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    assert post(browser, page, code=app.code(), trust="yes").status_code == 303
    browser.client.cookies.delete("__Host-sid")
    site.clock.advance(60)

    answer = log_in(browser, person)

    assert where(answer) == "/account"
    assert is_signed_in(browser)
    assert ask(browser).status_code == 403


def test_an_offer_ends_when_a_second_step_is_set_up(site: Site) -> None:
    person, browser = make_user(site), new_browser(site)
    assert where(log_in(browser, person)) == OFFER
    add_authenticator(site, person)

    assert ask(browser).status_code == 403


def test_who_has_a_passkey_or_shows_a_second_factor_is_offered_none(site: Site) -> None:
    has_one = make_user(site)
    enrolled(site, has_one)
    with_app, _ = someone_with_an_app(site)

    assert where(log_in(new_browser(site), has_one)) == "/account"
    assert where(log_in(new_browser(site), with_app)).startswith("/login/second-step/")


def test_without_an_offer_no_passkey_is_made_without_the_password(site: Site) -> None:
    person, browser = make_user(site), new_browser(site)
    log_in(browser, person, can="")
    not_offered = ask(browser)
    late = new_browser(site)
    log_in(late, person)
    other = new_browser(site)
    site.clock.advance(1)
    log_in(other, person)
    of_other = ask(other)
    challenge = ask(late).json()
    site.clock.advance(timedelta(minutes=5))
    made = post_to(late, OFFER, csrf_token=csrf(late), credential=Authenticator().make(challenge))

    assert [answer.status_code for answer in (not_offered, of_other, ask(late))] == [403] * 3
    assert made.headers["location"] == "/account"
    assert names(site, person) == []


def test_a_stranger_at_the_address_is_sent_to_their_account(site: Site) -> None:
    browser = new_browser(site)

    assert browser.client.get(OFFER).headers["location"] == "/account"
    assert ask(browser).status_code == 403
