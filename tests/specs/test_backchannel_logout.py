"""OpenID Connect Back-Channel Logout 1.0."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from oidc_server.jobs.logout_delivery import deliver
from oidc_server.outbound.http import HttpClient
from oidc_server.web.runtime import Runtime
from tests.browser import Browser
from tests.factories import make_client
from tests.relying_party import RelyingParty, signed_in
from tests.services.external_service import ExternalService, external_service, saying
from tests.site import Site
from tests.tokens import claims_of

AFTER = "https://app.example.net/signed-out"
EVENTS: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}


@pytest.fixture
def runtime(site: Site) -> Runtime:
    """A server that may speak to this machine."""
    settings = site.runtime.settings.model_copy(update={"issuer": "http://localhost:8000"})
    return replace(site.runtime, http=HttpClient(settings))


@pytest.fixture
def other() -> Iterator[ExternalService]:
    with external_service(saying(b"")) as running:
        yield running


def logout_tokens(other: ExternalService) -> list[str]:
    forms = [parse_qs(body.decode(), strict_parsing=True) for *_, body in other.asked]
    assert all(set(form) == {"logout_token"} for form in forms)
    return [form["logout_token"][0] for form in forms]


def sign_out(browser: Browser, id_token: str) -> Any:
    return browser.go(
        f"/logout?id_token_hint={id_token}&post_logout_redirect_uri={AFTER}&state=as-it-came"
    )


def test_s2_1_the_metadata_say_so_and_the_id_token_has_a_sid(site: Site) -> None:
    document = site.http.get("/.well-known/openid-configuration").json()

    _, _, _, tokens = signed_in(site)

    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
    assert claims_of(tokens["id_token"])["sid"]


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_s2_4_the_logout_token_is_signed_as_the_id_token_is_and_says_who_and_which_session(
    site: Site, runtime: Runtime, other: ExternalService, alg: str
) -> None:
    party, browser, _, tokens = signed_in(
        site,
        post_logout_redirect_uris=(AFTER,),
        backchannel_logout_uri=other.url("/backchannel"),
        backchannel_logout_session_required=True,
        id_token_signed_response_alg=alg,
    )
    id_token = claims_of(tokens["id_token"])

    answer = sign_out(browser, tokens["id_token"])
    deliver(runtime, Event())

    assert answer.headers["location"] == f"{AFTER}?state=as-it-came"
    [logout_token] = logout_tokens(other)
    header = jwt.get_unverified_header(logout_token)
    [key] = [
        key for key in site.http.get("/jwks.json").json()["keys"] if key["kid"] == header["kid"]
    ]
    claims = jwt.decode(
        logout_token,
        jwt.PyJWK(key).key,
        [alg],
        audience=party.app.client_id,
        issuer=site.issuer,
        options={"verify_exp": False, "verify_iat": False},
    )
    now = int(site.clock.now.timestamp())
    assert header == {"alg": alg, "typ": "logout+jwt", "kid": key["kid"]}
    assert claims == {
        "iss": site.issuer,
        "aud": party.app.client_id,
        "iat": now,
        "exp": now + 120,
        "jti": claims["jti"],
        "events": EVENTS,
        "sub": id_token["sub"],
        "sid": id_token["sid"],
    }
    assert party.read(browser.go(party.url(prompt="none"))).error == "login_required"


def test_s2_4_a_pairwise_client_is_told_the_sub_and_sid_that_it_knows(
    site: Site, runtime: Runtime, other: ExternalService
) -> None:
    _, browser, person, tokens = signed_in(
        site, subject_type="pairwise", backchannel_logout_uri=other.url()
    )

    browser.send(browser.go("/logout"))
    deliver(runtime, Event())

    [logout_token] = logout_tokens(other)
    told, known = claims_of(logout_token), claims_of(tokens["id_token"])
    assert (told["sub"], told["sid"]) == (known["sub"], known["sid"])
    assert told["sub"] != person.id


def test_s2_4_each_delivery_has_a_jti_of_its_own(
    site: Site, runtime: Runtime, other: ExternalService
) -> None:
    party, browser, person, _ = signed_in(site, backchannel_logout_uri=other.url())
    second = RelyingParty(site, make_client(site, backchannel_logout_uri=other.url()))
    second.redeem(second.authorize(browser, person).code)

    browser.send(browser.go("/logout"))
    deliver(runtime, Event())

    told = [claims_of(token) for token in logout_tokens(other)]
    assert {claims["aud"] for claims in told} == {party.app.client_id, second.app.client_id}
    assert len({claims["jti"] for claims in told}) == 2


def test_s2_5_nobody_is_told_of_a_session_in_another_browser(
    site: Site, runtime: Runtime, other: ExternalService
) -> None:
    party, browser, person, _ = signed_in(site, backchannel_logout_uri=other.url())
    elsewhere = Browser(site.browser(), site.issuer)
    party.authorize(elsewhere, person)

    browser.send(browser.go("/logout"))
    deliver(runtime, Event())

    assert len(other.asked) == 1
    assert party.read(elsewhere.go(party.url(prompt="none"))).error is None


def test_s2_6_what_a_logout_token_must_not_be_taken_for(
    site: Site, runtime: Runtime, other: ExternalService
) -> None:
    party, browser, person, _ = signed_in(site, backchannel_logout_uri=other.url())
    browser.send(browser.go("/logout"))
    deliver(runtime, Event())
    [logout_token] = logout_tokens(other)

    party.authorize(browser, person)
    as_hint = browser.go(f"/logout?id_token_hint={logout_token}")

    assert "nonce" not in claims_of(logout_token)
    assert as_hint.status_code == 400
    assert party.userinfo(logout_token).status_code == 401
    assert party.introspect(logout_token) == {"active": False}


def test_s2_7_refresh_tokens_without_offline_access_end_and_those_with_it_go_on(
    site: Site, runtime: Runtime, other: ExternalService
) -> None:
    party, browser, person, tokens = signed_in(site, backchannel_logout_uri=other.url())
    answer = party.authorize(browser, person, scope="openid offline_access")
    offline = party.redeem(answer.code).json()

    browser.send(browser.go("/logout"))
    deliver(runtime, Event())

    assert len(other.asked) == 1
    assert party.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert party.refresh(offline["refresh_token"]).status_code == 200
