"""Connected apps, over HTTP, on both databases."""

from sqlalchemy import select

from oidc_server.domain import endings, users
from oidc_server.domain.consents import Consent
from oidc_server.domain.grants import Grant
from oidc_server.domain.user_sessions import UserSession
from tests.account.pages import send
from tests.authentication.forms import csrf, new_browser, post_to, sign_in
from tests.factories import make_client, make_user
from tests.held_up import held_up
from tests.relying_party import RelyingParty, signed_in

PATH = "/account/apps"


def remove(browser, client_id):
    return send(browser, browser.client.get(PATH), f"{PATH}/{client_id}/remove")


def test_it_says_what_an_app_may_do_where_it_lives_and_when_it_was_used(site):
    _, browser, _, _ = signed_in(site, client_name="Ledger")
    site.clock.advance(3 * 3600)

    page = browser.client.get(PATH).text

    assert "Ledger" in page
    assert "See your profile · See your e-mail address" in " ".join(page.split())
    assert "app.example.net" in page
    assert "3 hours ago" in page


def test_an_app_without_a_question_is_there_too(site):
    _, browser, _, _ = signed_in(site, client_name="Our own", client_type="web")

    assert "Our own" in browser.client.get(PATH).text


def test_removing_an_app_kills_its_tokens_and_makes_it_ask_again(site):
    party, browser, _, tokens = signed_in(site)

    answer = remove(browser, party.app.client_id)

    assert answer.headers["location"] == f"{PATH}?notice=app_removed"
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert 'id="allow"' in browser.go(party.url()).text
    assert "No apps yet" in browser.client.get(PATH).text


def test_who_takes_leave_from_an_app_while_the_account_is_closed_holds_up_nobody(site):
    """Else whoever closes it, and ends all of it in another order, would wait for them in turn."""
    party, browser, person, _ = signed_in(site)
    page = browser.client.get(PATH)
    site.clock.advance(3 * 60)  # it is noted that the session is used

    with site.db() as db:
        assert users.hold(db, person.id)
        removing = held_up(lambda: send(browser, page, f"{PATH}/{party.app.client_id}/remove"))
        for kind in (UserSession, Consent, Grant):
            free = select(kind).with_for_update(nowait=True)
            assert len(db.session.scalars(free).all()) == 1
        endings.disown(db, person.id, site.clock.now, site.clock.now)

    assert removing().status_code == 303


def test_another_app_keeps_what_it_has(site):
    party, browser, person, _ = signed_in(site)
    other = RelyingParty(site, make_client(site, client_name="Shelf"))
    tokens = other.redeem(other.authorize(browser, person).code).json()

    remove(browser, party.app.client_id)

    assert other.userinfo(tokens["access_token"]).status_code == 200


def test_nobody_removes_what_an_app_has_of_somebody_else(site):
    party, _, _, tokens = signed_in(site)
    stranger = new_browser(site)
    sign_in(stranger, make_user(site).username)

    path = f"{PATH}/{party.app.client_id}/remove"
    answer = post_to(stranger, path, csrf_token=csrf(stranger))

    assert answer.status_code == 404
    assert party.userinfo(tokens["access_token"]).status_code == 200


def test_without_the_token_of_the_form_nothing_is_removed(site):
    party, browser, _, tokens = signed_in(site)

    assert post_to(browser, f"{PATH}/{party.app.client_id}/remove").status_code == 403

    assert party.userinfo(tokens["access_token"]).status_code == 200


def test_the_name_of_an_app_is_text(site):
    _, browser, _, _ = signed_in(site, client_name="<script>alert(1)</script>")

    for path in ("/account", PATH, "/account/activity"):
        page = browser.client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
