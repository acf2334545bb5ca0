"""The page between the password and the session, over HTTP, on both databases."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from oidc_server.domain import endings, factors, pending_sign_ins
from oidc_server.domain.audit import AuditEvent
from oidc_server.domain.factors import FactorRow
from oidc_server.domain.outbox import OutboxRow
from oidc_server.domain.user_sessions import UserSession
from oidc_server.security.jose import peek
from tests.authentication.forms import (
    essence,
    is_signed_in,
    new_browser,
    post_to,
    session_cookie,
    sign_in,
)
from tests.factories import make_client, make_user
from tests.factors import (
    add_authenticator,
    add_mailed_codes,
    add_recovery_codes,
    first_step,
    second_step,
    someone_with_an_app,
)
from tests.held_up import held_up
from tests.relying_party import RelyingParty
from tests.site import Site

MINUTE = timedelta(minutes=1)


def session_of(site: Site) -> UserSession | None:
    with site.db() as db:
        return db.session.scalars(select(UserSession)).one_or_none()


def test_after_the_password_an_app_is_asked_for_and_then_the_account_opens(site: Site) -> None:
    person, app = someone_with_an_app(site)

    browser, page = first_step(site, person)
    asked = is_signed_in(browser)
    answer = second_step(browser, page, app.code())

    assert "Enter your code" in page.text
    assert person.username in page.text
    assert not asked
    assert answer.headers["location"] == "/account"
    assert is_signed_in(browser)
    session = session_of(site)
    assert session is not None
    assert session.amr == {"pwd", "otp", "mfa"}
    assert session.acr == "urn:oidc-server:acr:two-factor"


def test_who_came_from_a_page_of_the_console_gets_back_to_it(site: Site) -> None:
    person, app = someone_with_an_app(site)
    browser = new_browser(site)

    page = browser.log_in(browser.go("/account/security"), person)
    refused = second_step(browser, page, "000000")
    answer = second_step(browser, refused, app.code())

    assert answer.headers["location"] == "/account/security"


def test_half_a_sign_in_opens_no_door(site: Site) -> None:
    """No session, no cookie of one, and an app is sent back to the sign-in page."""
    person, _ = someone_with_an_app(site)
    party = RelyingParty(site, make_client(site, skip_consent=True))

    browser, _ = first_step(site, person)

    assert session_cookie(browser) is None
    assert session_of(site) is None
    assert not is_signed_in(browser)
    assert party.read(browser.go(party.url(prompt="none"))).error == "login_required"
    assert "/login" in str(browser.go(party.url()).url)


def test_an_app_that_waits_gets_its_code_after_the_second_step(site: Site) -> None:
    person, app = someone_with_an_app(site)
    party, browser = RelyingParty(site, make_client(site, skip_consent=True)), new_browser(site)

    page = browser.log_in(browser.go(party.url()), person)
    answer = party.read(browser.send(page, code=app.code()))

    assert "Enter your code" in page.text
    claims = peek(party.redeem(answer.code).json()["id_token"])
    assert claims is not None
    assert set(claims["amr"]) == {"pwd", "otp", "mfa"}
    assert claims["acr"] == "urn:oidc-server:acr:two-factor"


def test_who_has_no_factor_notices_nothing(site: Site) -> None:
    person, browser = make_user(site), new_browser(site)

    assert sign_in(browser, person.username).headers["location"] == "/account"
    session = session_of(site)
    assert session is not None
    assert session.amr == {"pwd"}


def test_before_the_password_is_proven_nothing_tells_who_has_a_factor(site: Site) -> None:
    person, _ = someone_with_an_app(site)
    plain, browser = make_user(site), new_browser(site)
    browser.client.get("/login")

    answers = {
        essence(sign_in(browser, name, "not the password"), name)
        for name in (person.username, plain.username, "nobody")
    }

    assert len(answers) == 1


def test_a_code_is_good_once_also_in_another_sign_in(site: Site) -> None:
    person, app = someone_with_an_app(site)
    first, first_page = first_step(site, person)
    second, second_page = first_step(site, person)

    assert second_step(first, first_page, app.code()).status_code == 303
    assert second_step(second, second_page, app.code()).status_code == 401
    assert not is_signed_in(second)


def test_after_a_code_no_earlier_one_is_accepted(site: Site) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    assert second_step(browser, page, app.code(1)).status_code == 303

    browser, page = first_step(site, person)

    assert second_step(browser, page, app.code()).status_code == 401


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 303), (1, 303), (2, 401)])
def test_a_clock_may_be_half_a_minute_wrong_and_no_more(
    site: Site, steps: int, status: int
) -> None:
    person, app = someone_with_an_app(site)
    site.clock.advance(MINUTE * 5)
    browser, page = first_step(site, person)

    assert second_step(browser, page, app.code(steps)).status_code == status


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "12345a", "½23456"])
def test_what_cannot_be_a_code_is_no_guess(site: Site, code: str) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)

    answers = [second_step(browser, page, code) for _ in range(6)]

    assert {answer.status_code for answer in answers} == {422}
    assert "A code has 6 digits." in answers[0].text
    assert second_step(browser, page, f" {app.code()[:3]} {app.code()[3:]} ").status_code == 303


def test_five_wrong_codes_end_the_sign_in(site: Site) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)

    answers = [second_step(browser, page, "000000") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert "begin with your password once more" in answers[-1].text
    assert second_step(browser, page, app.code()).status_code == 400
    assert not is_signed_in(browser)


def test_wrong_codes_are_counted_over_sign_ins_and_then_must_wait(site: Site) -> None:
    person, app = someone_with_an_app(site)
    for _ in range(2):
        browser, page = first_step(site, person)
        for _ in range(5):
            second_step(browser, page, "000000")

    browser, page = first_step(site, person)
    answer = second_step(browser, page, app.code())

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    site.clock.advance(MINUTE)
    assert second_step(browser, page, app.code()).status_code == 400  # it ended with the refusal
    browser, page = first_step(site, person)
    assert second_step(browser, page, app.code()).status_code == 303


def test_who_knows_the_password_cannot_keep_the_owner_out_of_a_browser_they_use(
    site: Site,
) -> None:
    person, app = someone_with_an_app(site)
    hers, page = first_step(site, person)
    second_step(hers, page, app.code())
    hers.client.cookies.delete("__Host-sid")

    answers = []
    for _ in range(12):
        attacker, page = first_step(site, person)
        answers.append(second_step(attacker, page, "000000").status_code)
        site.clock.advance(MINUTE)
    page = hers.log_in(hers.go("/login"), person)

    assert answers[-1] == 429
    assert second_step(hers, page, app.code()).status_code == 303


def test_a_browser_that_somebody_uses_has_no_more_guesses_than_any_other(site: Site) -> None:
    person, app = someone_with_an_app(site)
    hers, page = first_step(site, person)
    second_step(hers, page, app.code())

    for _ in range(2):
        hers.client.cookies.delete("__Host-sid")
        page = hers.log_in(hers.go("/login"), person)
        for _ in range(5):
            second_step(hers, page, "000000")
    page = hers.log_in(hers.go("/login"), person)

    assert second_step(hers, page, app.wait()).status_code == 429


def test_half_a_sign_in_belongs_to_one_browser_and_lasts_ten_minutes(site: Site) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    path, other = urlsplit(str(page.url)).path, new_browser(site)
    other.client.get("/login")

    assert other.client.get(path).status_code == 400
    site.clock.advance(MINUTE * 10)
    assert second_step(browser, page, app.code()).status_code == 400


@pytest.mark.parametrize("pending_id", ["x", "0194a2f0-0000-7000-8000-000000000000", "%27"])
def test_a_second_step_without_a_first_is_over(site: Site, pending_id: str) -> None:
    answer = new_browser(site).client.get(f"/login/second-step/{pending_id}")

    assert answer.status_code == 400
    assert "This sign-in is over" in answer.text


def test_it_is_used_up_by_the_sign_in_it_was_made_for(site: Site) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    assert second_step(browser, page, app.code()).status_code == 303
    browser.client.cookies.delete("__Host-sid")

    assert second_step(browser, page, app.wait()).status_code == 400
    assert not is_signed_in(browser)


@pytest.mark.parametrize("what", ["password", "disabled", "everywhere"])
def test_what_ends_sessions_ends_half_of_them_too(site: Site, what: str) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)

    with site.db() as db:
        match what:
            case "password":
                endings.change_password(db, person.id, "another hash", site.clock.now)
            case "disabled":
                endings.disable_user(db, person.id, site.clock.now)
            case _:
                endings.end_sessions_of_user(db, person.id, site.clock.now)

    assert second_step(browser, page, app.code()).status_code == 400
    assert not is_signed_in(browser)


def test_a_step_that_has_to_wait_for_the_end_of_its_sign_in_holds_up_nobody(site: Site) -> None:
    """Else whoever ends it, and takes what is proven in it, would wait for the step in turn."""
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)

    with site.db() as db:
        endings.end_sessions_of_user(db, person.id, site.clock.now)
        step = held_up(lambda: second_step(browser, page, app.code()))
        free = select(FactorRow.id).with_for_update(nowait=True)
        assert db.session.scalars(free).all() == [app.factor_id]

    assert step().status_code == 400


def test_a_recovery_code_stands_in_once_and_its_owner_is_told(site: Site) -> None:
    person, _ = someone_with_an_app(site)
    codes = add_recovery_codes(site, person)
    browser, page = first_step(site, person)
    page = browser.client.get(f"{page.url}?factor=recovery_code")

    answer = second_step(browser, page, f" {codes[0].upper().replace('-', '')} ")

    assert answer.status_code == 303
    assert is_signed_in(browser)
    with site.db() as db:
        mails = [item.payload["facts"]["notice"] for item in db.session.scalars(select(OutboxRow))]
    assert mails == ["recovery_code_used"]
    browser, page = first_step(site, person)
    page = browser.client.get(f"{page.url}?factor=recovery_code")
    assert second_step(browser, page, codes[0]).status_code == 401
    assert second_step(browser, page, codes[1]).status_code == 303


def test_a_recovery_code_of_somebody_else_is_none(site: Site) -> None:
    person, _ = someone_with_an_app(site)
    add_recovery_codes(site, person)
    other, _ = someone_with_an_app(site)
    [code, *_] = add_recovery_codes(site, other)
    browser, page = first_step(site, person)
    page = browser.client.get(f"{page.url}?factor=recovery_code")

    assert second_step(browser, page, code).status_code == 401
    assert second_step(browser, page, "k7fq-2m9").status_code == 422


def test_a_code_is_mailed_to_who_has_nothing_better_and_is_no_second_factor(site: Site) -> None:
    person = make_user(site)
    add_mailed_codes(site, person)

    browser, page = first_step(site, person)
    with site.db() as db:
        [item] = db.session.scalars(select(OutboxRow))
        code_id = item.payload["link_id"]
    code = pending_code(site, code_id)
    wrong = second_step(browser, page, "000000" if code != "000000" else "111111")
    answer = second_step(browser, page, code)

    assert person.email not in page.text
    assert wrong.status_code == 401
    assert answer.status_code == 303
    session = session_of(site)
    assert session is not None
    assert session.amr == {"pwd", "otp", "mca"}
    assert session.acr == "urn:oidc-server:acr:password"


def test_a_new_mailed_code_voids_the_one_before_and_mails_are_limited(site: Site) -> None:
    person = make_user(site)
    add_mailed_codes(site, person)
    browser, page = first_step(site, person)
    path = urlsplit(str(page.url)).path
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]

    answers = []
    for _ in range(5):
        site.clock.advance(1)
        answers.append(post_to(browser, f"{path}/send-code", csrf_token=token))

    assert "not_now" not in answers[3].headers["location"]
    assert "not_now" in answers[4].headers["location"]
    with site.db() as db:
        items = list(db.session.scalars(select(OutboxRow).order_by(OutboxRow.id)))
    assert len(items) == 5
    codes = [pending_code(site, item.payload["link_id"]) for item in items]
    if codes[0] != codes[-1]:
        assert second_step(browser, page, codes[0]).status_code == 401
    assert second_step(browser, page, codes[-1]).status_code == 303


def test_who_uses_the_mailed_codes_is_never_kept_waiting_for_one(site: Site) -> None:
    person = make_user(site)
    add_mailed_codes(site, person)

    for _ in range(7):
        site.clock.advance(1)
        browser, page = first_step(site, person)
        with site.db() as db:
            newest = db.session.scalars(select(OutboxRow).order_by(OutboxRow.id.desc())).first()
            assert newest is not None
            code = pending_code(site, newest.payload["link_id"])
        assert second_step(browser, page, code).status_code == 303


def test_who_knows_the_password_uses_up_no_mails_of_a_browser_that_the_owner_uses(
    site: Site,
) -> None:
    person = make_user(site)
    hers, _ = first_step(site, person)
    hers.client.cookies.delete("__Host-sid")
    add_mailed_codes(site, person)
    pages = [first_step(site, person)[1].text for _ in range(7)]

    page = hers.log_in(hers.go("/login"), person)

    assert "Many codes were sent lately" in pages[-1]
    with site.db() as db:
        newest = db.session.scalars(select(OutboxRow).order_by(OutboxRow.id.desc())).first()
        assert newest is not None
        code = pending_code(site, newest.payload["link_id"])
    second_step(hers, page, code)
    assert is_signed_in(hers)


def test_who_has_an_app_is_not_asked_for_a_mailed_code(site: Site) -> None:
    """Who reads the mail can choose a new password with it: a code by mail would add nothing."""
    person, _ = someone_with_an_app(site)
    add_mailed_codes(site, person)

    browser, page = first_step(site, person)
    asked = browser.client.get(f"{page.url}?factor=email_code")
    token = asked.text.split('name="csrf_token" value="')[1].split('"')[0]
    path = urlsplit(str(page.url)).path

    assert "Enter your code" in asked.text
    assert post_to(browser, f"{path}/send-code", csrf_token=token).status_code == 400


def test_the_secret_of_an_app_opens_in_its_own_row_only(site: Site) -> None:
    person, _ = someone_with_an_app(site)
    other, app = someone_with_an_app(site)
    with site.db() as db:
        rows = {row.user_id: row for row in db.session.scalars(select(factors.FactorRow))}
        rows[person.id].sealed_secret = rows[other.id].sealed_secret

    browser, page = first_step(site, person)

    assert app.secret.encode() not in (rows[other.id].sealed_secret or b"")
    assert second_step(browser, page, app.code()).status_code != 303
    assert not is_signed_in(browser)


def test_the_steps_of_a_sign_in_are_on_record(site: Site) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    site.clock.advance(1)
    second_step(browser, page, "000000")
    site.clock.advance(1)
    second_step(browser, page, app.code())

    with site.db() as db:
        events = list(db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)))
    assert [(event.event, event.user_id) for event in events] == [
        ("sign_in.first_step", person.id),
        ("sign_in.second_step_failed", person.id),
        ("sign_in.succeeded", person.id),
    ]
    assert app.code() not in repr([event.detail for event in events])


def test_the_field_of_a_code_is_one_that_machines_can_fill(site: Site) -> None:
    person, _ = someone_with_an_app(site)

    _, page = first_step(site, person)

    field = page.text[page.text.index('id="code"') :].partition(">")[0]
    for attribute in ('autocomplete="one-time-code"', 'inputmode="numeric"', 'pattern="[0-9 ]*"'):
        assert attribute in field


def test_whatever_somebody_holds_is_one_question(site: Site) -> None:
    person = make_user(site)
    add_authenticator(site, person)
    add_recovery_codes(site, person)
    add_mailed_codes(site, person)

    with site.db() as db:
        held = factors.held_by(db, person.id)

    assert held == {"totp", "recovery_code", "email_code"}


def pending_code(site: Site, code_id: str) -> str:
    return pending_sign_ins.mailed_code(site.runtime.vault, code_id)
