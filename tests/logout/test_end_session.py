"""RP-Initiated Logout: who is signed out at once, who is asked, and where nobody is sent."""

import re
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import pytest

from tests.browser import Browser, Page
from tests.factories import make_client
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import row_counts

AFTER = "https://app.example.net/signed-out"


def a_session(site: Site, **client: Any) -> tuple[RelyingParty, Browser, str]:
    client = {"post_logout_redirect_uris": (AFTER,), **client}
    party, browser, _, tokens = signed_in(site, **client)
    return party, browser, tokens["id_token"]


def logout(**params: str | None) -> str:
    return f"/logout?{urlencode({k: v for k, v in params.items() if v is not None})}"


def is_signed_in(party: RelyingParty, browser: Browser) -> bool:
    return party.read(browser.go(party.url(prompt="none"))).error is None


def is_page(answer: Any, status: int = 200) -> bool:
    return answer.status_code == status and "location" not in answer.headers


@pytest.mark.parametrize("state", ["x" * 128, "a b&c=d#\"'<>", "\u00fcn\u00efc\u00f6de \U0001f600"])
def test_the_hint_of_this_session_signs_out_and_returns(site: Site, state: str) -> None:
    party, browser, hint = a_session(site)

    answer = browser.go(logout(id_token_hint=hint, post_logout_redirect_uri=AFTER, state=state))

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{AFTER}?state={quote(state, safe='')}"
    assert answer.headers["cache-control"] == "no-store"
    assert not is_signed_in(party, browser)


def test_no_state_makes_no_state(site: Site) -> None:
    party, browser, hint = a_session(site)

    answer = browser.go(logout(id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert answer.headers["location"] == AFTER
    assert not is_signed_in(party, browser)


def test_a_registered_query_is_kept(site: Site) -> None:
    uri = f"{AFTER}?a=b"
    _, browser, hint = a_session(site, post_logout_redirect_uris=(uri,))

    answer = browser.go(logout(id_token_hint=hint, post_logout_redirect_uri=uri, state="s"))

    assert answer.headers["location"] == f"{uri}&state=s"


@pytest.mark.parametrize("params", [{}, {"state": "x"}])
def test_without_an_address_it_ends_on_a_page(site: Site, params: dict[str, str]) -> None:
    party, browser, hint = a_session(site)

    answer = browser.go(logout(id_token_hint=hint, **params))

    assert is_page(answer)
    assert "You are signed out" in answer.text
    assert not is_signed_in(party, browser)


ASKING: list[dict[str, str]] = [
    {},
    {"state": "x"},
    {"post_logout_redirect_uri": AFTER},
    {"post_logout_redirect_uri": "https://evil.example.org/"},
    {"post_logout_redirect_uri": "javascript:alert(1)", "state": '"><script>alert(1)</script>'},
]


@pytest.mark.parametrize("params", ASKING)
def test_without_a_hint_the_person_is_asked_and_sent_nowhere(
    site: Site, params: dict[str, str]
) -> None:
    party, browser, _ = a_session(site)

    asked = browser.go(logout(**params))
    still = is_signed_in(party, browser)
    answer = browser.send(asked)

    assert is_page(asked)
    assert 'id="log-out"' in asked.text
    assert "<script>alert" not in asked.text
    assert still
    assert is_page(answer)
    assert not is_signed_in(party, browser)


def test_the_hint_of_another_session_asks(site: Site) -> None:
    party, browser, _ = a_session(site)
    _, _, foreign = a_session(site)

    asked = browser.go(logout(id_token_hint=foreign, post_logout_redirect_uri=AFTER, state="s"))
    still = is_signed_in(party, browser)
    answer = browser.send(asked)

    assert is_page(asked)
    assert still
    assert answer.headers["location"] == f"{AFTER}?state=s"
    assert not is_signed_in(party, browser)


def test_the_hint_of_an_earlier_session_of_the_same_person_asks(site: Site) -> None:
    party, browser, person, tokens = signed_in(site)
    earlier = logout(id_token_hint=tokens["id_token"])
    browser.go(earlier)
    party.authorize(browser, person)

    asked = browser.go(earlier)

    assert 'id="log-out"' in asked.text
    assert is_signed_in(party, browser)


def test_an_expired_hint_is_fine(site: Site) -> None:
    party, browser, hint = a_session(site)
    site.clock.advance(11 * 3600)

    answer = browser.go(logout(id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert answer.headers["location"] == AFTER
    assert not is_signed_in(party, browser)


def test_nobody_signed_in_is_signed_out_already(site: Site) -> None:
    _, _, hint = a_session(site)
    stranger = Browser(site.browser(), site.issuer)

    assert is_page(stranger.go("/logout"))
    answer = stranger.go(logout(id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s"))

    assert answer.headers["location"] == f"{AFTER}?state=s"


def wrong_hints(hint: str, access_token: str) -> dict[str, str]:
    claims = jwt.decode(hint, options={"verify_signature": False})
    head, body, signature = hint.split(".")
    kid = jwt.get_unverified_header(hint)["kid"]
    key = "a key as long as a key must be at least"
    return {
        "alg none": jwt.encode(claims, "", "none", headers={"kid": kid}),
        "another key": jwt.encode(claims, key, "HS256", headers={"kid": kid}),
        "no signature": f"{head}.{body}.",
        "another signature": f"{head}.{body}.{signature[:-6]}AAAAAA",
        "an access token": access_token,
        "garbage": "garbage",
        "not ASCII": "\u00e9.\u00e9.\u00e9",
    }


def test_a_hint_that_is_not_ours_is_a_page_and_ends_nothing(site: Site) -> None:
    party, browser, _, tokens = signed_in(site, post_logout_redirect_uris=(AFTER,))
    before = row_counts(site)

    for name, hint in wrong_hints(tokens["id_token"], tokens["access_token"]).items():
        params = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER, "state": "s"}
        for answer in (browser.go(logout(**params)), _posted(browser, params)):
            assert is_page(answer, 400), name
    assert is_signed_in(party, browser)
    assert row_counts(site)["user_sessions"] == before["user_sessions"]


UNREGISTERED = (
    "https://evil.example.org/",
    f"{AFTER}/",
    f"{AFTER}?x=1",
    f"{AFTER}#x",
    "https://app.example.net/callback",
    "https://app.example.net@evil.example.org/signed-out",
    "//app.example.net/signed-out",
    "javascript:alert(1)",
    "HTTPS://app.example.net/signed-out",
)


@pytest.mark.parametrize("uri", UNREGISTERED)
def test_an_address_that_is_not_registered_is_a_page(site: Site, uri: str) -> None:
    party, browser, hint = a_session(site)
    stranger = Browser(site.browser(), site.issuer)

    answers = [
        browser.go(logout(id_token_hint=hint, post_logout_redirect_uri=uri)),
        stranger.go(logout(id_token_hint=hint, post_logout_redirect_uri=uri)),
        stranger.go(logout(client_id=party.app.client_id, post_logout_redirect_uri=uri)),
    ]

    assert all(is_page(answer, 400) for answer in answers)
    assert is_signed_in(party, browser)


def test_the_page_says_which_app_is_at_fault_and_what_it_sent(site: Site) -> None:
    party = RelyingParty(site, make_client(site, client_name="Shop"))
    browser = Browser(site.browser(), site.issuer)

    page = browser.go(logout(client_id=party.app.client_id, post_logout_redirect_uri=AFTER))

    assert "Shop is not set up correctly" in page.text
    assert "The post_logout_redirect_uri is not registered for this client." in page.text
    assert f"<code>{AFTER}</code>" in page.text


def test_whoever_is_still_signed_in_is_told_so_and_can_sign_out_without_the_app(site: Site) -> None:
    _, browser, hint = a_session(site)

    told = browser.go(logout(id_token_hint=hint, post_logout_redirect_uri=f"{AFTER}/elsewhere"))
    stranger = site.browser().get(logout(id_token_hint="of another server"))

    assert "You are still signed in." in told.text
    [way_out] = re.findall(r'href="([^"]+)">Sign out<', told.text)
    assert "Sign out of" in browser.go(way_out).text
    assert is_page(stranger, 400)
    assert "still signed in" not in stranger.text


def test_an_address_of_another_client_is_a_page(site: Site) -> None:
    other = make_client(site, post_logout_redirect_uris=(AFTER,))
    _, browser, hint = a_session(site, post_logout_redirect_uris=())

    mismatch = browser.go(
        logout(id_token_hint=hint, client_id=other.client_id, post_logout_redirect_uri=AFTER)
    )
    own = browser.go(logout(id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert is_page(mismatch, 400)
    assert is_page(own, 400)


@pytest.mark.parametrize(
    "name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]
)
def test_a_parameter_sent_twice_is_a_page(site: Site, name: str) -> None:
    party, browser, hint = a_session(site)
    values = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER, "state": "s"}
    values["client_id"] = party.app.client_id
    address = f"{logout(**values)}&{urlencode({name: values[name]})}"
    body = address.partition("?")[2]

    for answer in (
        browser.go(address),
        browser.client.post(
            "/logout",
            content=body,
            headers={"content-type": "application/x-www-form-urlencoded"},
        ),
    ):
        assert is_page(answer, 400)
    assert is_signed_in(party, browser)


def test_a_post_from_the_client_is_the_same_request(site: Site) -> None:
    party, browser, hint = a_session(site)
    params = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER, "state": "s"}

    answer = _posted(browser, params)

    assert answer.headers["location"] == f"{AFTER}?state=s"
    assert not is_signed_in(party, browser)


def test_a_foreign_site_cannot_press_the_button(site: Site) -> None:
    party, browser, _ = a_session(site)
    asked = browser.go("/logout")

    browser.client.post(
        "/logout", data=Page(asked).hidden(), headers={"origin": "https://evil.example.org"}
    )
    browser.client.post("/logout", data={"csrf_token": "0" * 64}, headers={"origin": site.issuer})

    assert is_signed_in(party, browser)


def test_the_old_cookie_is_dead(site: Site) -> None:
    party, browser, hint = a_session(site)
    cookie = browser.client.cookies["__Host-sid"]

    answer = browser.go(logout(id_token_hint=hint))
    thief = Browser(site.browser(), site.issuer)
    thief.client.cookies.set("__Host-sid", cookie)

    assert "__Host-sid=; " in answer.headers["set-cookie"]
    assert not is_signed_in(party, thief)


def _posted(browser: Browser, params: dict[str, str]) -> Any:
    answer = browser.client.post(
        "/logout", data=params, headers={"origin": "https://app.example.net"}
    )
    if answer.headers.get("location", "").startswith("/logout"):
        assert answer.status_code == 303
        return browser.go(answer.headers["location"])
    return answer
