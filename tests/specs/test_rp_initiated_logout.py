"""OpenID Connect RP-Initiated Logout 1.0. More of it: `tests/logout/test_end_session.py`."""

from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from tests.browser import Browser
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

AFTER = "https://app.example.net/signed-out"


def logout(**params: str) -> str:
    return f"/logout?{urlencode(params)}"


def is_signed_in(party: RelyingParty, browser: Browser) -> bool:
    return party.read(browser.go(party.url(prompt="none"))).error is None


def test_s2_every_parameter_is_taken_together(site: Site) -> None:
    party, browser, person, tokens = signed_in(site, post_logout_redirect_uris=(AFTER,))

    answer = browser.go(
        logout(
            id_token_hint=tokens["id_token"],
            logout_hint=person.username,
            client_id=party.app.client_id,
            post_logout_redirect_uri=AFTER,
            state="s",
            ui_locales="fr en",
            unknown="is passed over",
        )
    )

    assert answer.headers["location"] == f"{AFTER}?state=s"
    assert party.read(browser.go(party.url(prompt="none"))).error == "login_required"


def test_s2_the_page_speaks_the_language_that_the_client_asks_for(site: Site) -> None:
    _, browser, _, _ = signed_in(site)

    page = browser.go(logout(ui_locales="xx fr"))

    assert '<html lang="fr"' in page.text


def test_s2_a_post_from_the_site_of_the_client_is_taken(site: Site) -> None:
    party, browser, _, tokens = signed_in(site, post_logout_redirect_uris=(AFTER,))
    params = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER, "state": "s"}
    without_cookies = Browser(site.browser(), site.issuer)  # as Lax cookies stay away

    answer = without_cookies.client.post(
        "/logout",
        data=params,
        headers={"origin": "https://app.example.net", "sec-fetch-site": "cross-site"},
    )

    assert answer.status_code == 303
    assert is_signed_in(party, browser)
    arrived = browser.go(answer.headers["location"])
    assert arrived.headers["location"] == f"{AFTER}?state=s"
    assert not is_signed_in(party, browser)


def test_s2_a_client_id_without_a_hint_asks_and_then_returns(site: Site) -> None:
    party, browser, _, _ = signed_in(site, post_logout_redirect_uris=(AFTER,))

    asked = browser.go(
        logout(client_id=party.app.client_id, post_logout_redirect_uri=AFTER, state="s")
    )
    still = is_signed_in(party, browser)
    answer = browser.send(asked)

    assert 'id="log-out"' in asked.text
    assert still
    assert answer.headers["location"] == f"{AFTER}?state=s"


def test_s2_the_hint_of_a_pairwise_client_names_the_session(site: Site) -> None:
    party, browser, person, tokens = signed_in(
        site, subject_type="pairwise", post_logout_redirect_uris=(AFTER,)
    )
    sub = jwt.decode(tokens["id_token"], options={"verify_signature": False})["sub"]

    answer = browser.go(logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER))

    assert sub != person.id
    assert answer.headers["location"] == AFTER
    assert not is_signed_in(party, browser)


def test_s2_the_hint_of_somebody_else_never_signs_out_silently(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    _, _, _, attacker = signed_in(site, post_logout_redirect_uris=(AFTER,))

    asked = browser.go(
        logout(id_token_hint=attacker["id_token"], post_logout_redirect_uri=AFTER, state="s")
    )

    assert asked.status_code == 200
    assert 'id="log-out"' in asked.text
    assert is_signed_in(party, browser)


def test_s2_the_hint_of_a_session_that_has_expired_still_leads_back(site: Site) -> None:
    party, browser, _, tokens = signed_in(site, post_logout_redirect_uris=(AFTER,))
    site.clock.advance(site.runtime.settings.session_idle_lifetime)

    answer = browser.go(
        logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER, state="s")
    )

    assert answer.headers["location"] == f"{AFTER}?state=s"
    assert not is_signed_in(party, browser)


HINTS = {
    "encrypted": ("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d", "encrypted"),
    "none": ("eyJhbGciOiJub25lIn0.e30.", "not an ID Token"),
    "garbage": ("x", "not an ID Token"),
    "empty parts": ("..", "not an ID Token"),
}


@pytest.mark.parametrize("name", HINTS)
def test_s4_a_hint_that_cannot_be_verified_is_a_page(site: Site, name: str) -> None:
    party, browser, _, _ = signed_in(site, post_logout_redirect_uris=(AFTER,))
    hint, reason = HINTS[name]

    answer = browser.go(logout(id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s"))

    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert reason in answer.text
    assert is_signed_in(party, browser)


def test_s4_another_token_that_we_signed_for_the_client_is_no_hint(site: Site) -> None:
    party, browser, _, tokens = signed_in(site)
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    told = {name: claims[name] for name in ("iss", "aud", "sub")}
    with site.db() as db:
        site.runtime.keys.refresh(db, site.clock.now)
    key = site.runtime.keys.signer("RS256", site.clock.now)

    answers: list[Any] = [
        browser.go(logout(id_token_hint=key.sign(told, typ="JWT"))),
        browser.go(logout(id_token_hint=key.sign(claims, typ="logout+jwt"))),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert is_signed_in(party, browser)
