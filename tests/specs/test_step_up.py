"""Core §3.1.2.1, §5.5.1.1 and RFC 9470: a client asks for more than the session has proven."""

import json
from typing import Any

from sqlalchemy import select

from oidc_server.domain.user_sessions import UserSession
from oidc_server.oauth2.vocabulary import PASSWORD_ACR, TWO_FACTOR_ACR
from oidc_server.security.jose import peek
from tests.authentication.forms import new_browser
from tests.browser import Browser
from tests.factories import Person, make_client, make_user
from tests.factors import Authenticator, add_authenticator
from tests.relying_party import Answer, RelyingParty
from tests.site import Site


def signed_in_with_a_password(site: Site) -> tuple[RelyingParty, Browser, Person]:
    """Somebody who signed in before they had anything else."""
    party, browser = RelyingParty(site, make_client(site, skip_consent=True)), new_browser(site)
    person = make_user(site)
    party.authorize(browser, person)
    site.clock.advance(60)
    return party, browser, person


def then_with_an_app(site: Site) -> tuple[RelyingParty, Browser, Authenticator]:
    party, browser, person = signed_in_with_a_password(site)
    return party, browser, add_authenticator(site, person)


def insisting(*values: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": list(values)}}})


def told(party: RelyingParty, answer: Answer) -> dict[str, Any]:
    claims = peek(party.redeem(answer.code).json()["id_token"])
    assert claims is not None
    return claims


def sid(site: Site) -> str:
    with site.db() as db:
        return db.session.scalars(select(UserSession)).one().sid


def test_a_live_session_is_asked_for_the_missing_factor_only_and_keeps_its_sid(site: Site) -> None:
    party, browser, app = then_with_an_app(site)
    before = sid(site)

    page = browser.go(party.url(acr_values=TWO_FACTOR_ACR))
    claims = told(party, party.read(browser.send(page, code=app.code())))

    assert "Enter your code" in page.text
    assert 'name="trust"' not in page.text
    assert (claims["acr"], set(claims["amr"])) == (TWO_FACTOR_ACR, {"pwd", "otp", "mfa"})
    assert claims["auth_time"] == int(site.clock.now.timestamp())
    assert sid(site) == before
    again = told(party, party.read(browser.go(party.url(acr_values=TWO_FACTOR_ACR))))
    assert again["acr"] == TWO_FACTOR_ACR


def test_the_old_cookie_is_dead_after_a_step_up(site: Site) -> None:
    party, browser, app = then_with_an_app(site)
    before = dict(browser.client.cookies)

    browser.send(browser.go(party.url(acr_values=TWO_FACTOR_ACR)), code=app.code())

    thief = new_browser(site)
    thief.client.cookies.update(before)
    assert thief.client.get("/account").status_code == 303


def test_a_step_up_of_a_session_that_has_ended_signs_nobody_in(site: Site) -> None:
    """One factor alone must not do for a session that somebody else can begin anew."""
    party, browser, app = then_with_an_app(site)
    page = browser.go(party.url(acr_values=TWO_FACTOR_ACR))
    browser.client.cookies.delete("__Host-sid")

    answer = browser.send(page, code=app.code())

    assert answer.status_code == 400
    assert browser.client.get("/account").status_code == 303


def test_a_wish_that_cannot_be_granted_is_passed_over(site: Site) -> None:
    party, browser, _ = signed_in_with_a_password(site)

    answer = party.read(browser.go(party.url(acr_values=f"urn:gold {TWO_FACTOR_ACR}")))

    assert told(party, answer)["acr"] == PASSWORD_ACR


def test_what_is_insisted_on_and_cannot_be_reached_is_refused(site: Site) -> None:
    party, browser, _ = signed_in_with_a_password(site)

    answer = party.read(browser.go(party.url(claims=insisting(TWO_FACTOR_ACR))))

    assert answer.error == "unmet_authentication_requirements"


def test_what_is_insisted_on_is_asked_for_and_silently_it_is_login_required(site: Site) -> None:
    party, browser, app = then_with_an_app(site)
    wish = insisting(TWO_FACTOR_ACR)

    silent = party.read(browser.go(party.url(claims=wish, prompt="none")))
    page = browser.go(party.url(claims=wish))

    assert silent.error == "login_required"
    assert told(party, party.read(browser.send(page, code=app.code())))["acr"] == TWO_FACTOR_ACR


def test_who_insists_on_less_is_told_less(site: Site) -> None:
    """Core §5.5.1.1: the acr that is told is one of those asked for."""
    party, browser, app = then_with_an_app(site)
    browser.send(browser.go(party.url(acr_values=TWO_FACTOR_ACR)), code=app.code())

    answer = party.read(browser.go(party.url(claims=insisting(PASSWORD_ACR))))

    assert told(party, answer)["acr"] == PASSWORD_ACR


def test_an_old_sign_in_is_repeated_with_both_steps(site: Site) -> None:
    party, browser, person = signed_in_with_a_password(site)
    app = add_authenticator(site, person)

    page = browser.go(party.url(max_age="1"))
    step = browser.log_in(page, person)
    claims = told(party, party.read(browser.send(step, code=app.code())))

    assert 'id="password"' in page.text
    assert set(claims["amr"]) == {"pwd", "otp", "mfa"}


def test_discovery_tells_what_can_be_reached(site: Site) -> None:
    document = site.http.get("/.well-known/openid-configuration").json()

    assert document["acr_values_supported"][:2] == [PASSWORD_ACR, TWO_FACTOR_ACR]
