"""The Basic plan. Where every module of the plans is shown: `docs/conformance.md`."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
import pytest

from tests.conformance import checks
from tests.conformance.conftest import CLAIMS
from tests.conformance.suite import KEYS, TWICE, Party, Suite
from tests.factories import Person
from tests.site import Site

METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")


@pytest.mark.parametrize("method", METHODS)
def test_a_client_that_registered_itself_signs_a_person_in_and_leaves(
    suite: Suite, person: Person, method: str
) -> None:
    """oidcc-server, oidcc-server-client-secret-post, oidcc-idtoken-signature."""
    party = suite.party(token_endpoint_auth_method=method)

    tokens, told = party.flow(person)
    left = party.unregister()

    assert tokens.header["alg"] == "RS256"
    assert told == {"sub": person.id}
    assert left.status_code == 204


def test_no_nonce_is_invented(suite: Suite, person: Person) -> None:
    """oidcc-ensure-request-without-nonce-succeeds-for-code-flow."""
    tokens, _ = suite.party().flow(person, nonce=None)

    assert "nonce" not in tokens.id_token


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone"])
def test_userinfo_holds_every_claim_of_a_scope_and_the_id_token_none(
    suite: Suite, person: Person, scope: str
) -> None:
    """oidcc-scope-profile, oidcc-scope-email, oidcc-scope-address, oidcc-scope-phone."""
    _, told = suite.party().flow(person, scope=f"openid {scope}")

    assert told.keys() == {"sub"} | STANDARD[scope]


STANDARD = {
    "profile": {*CLAIMS, "preferred_username", "updated_at"} - {"address", "phone_number"},
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}


def test_all_scopes_at_once_give_all_claims(suite: Suite, person: Person) -> None:
    """oidcc-scope-all."""
    tokens, told = suite.party().flow(person, scope="openid profile email address phone")

    assert len(STANDARD["profile"]) == 14
    assert told.keys() == {"sub"}.union(*STANDARD.values())
    assert {name: told[name] for name in CLAIMS} == CLAIMS
    assert tokens.id_token.keys() <= checks.ID_TOKEN


def test_the_order_of_scopes_and_parameters_does_not_matter(suite: Suite, person: Person) -> None:
    """oidcc-alternate-happy-flow."""
    party = suite.party()
    address, _, query = party.url(scope="email openid").partition("?")

    turned = urlencode(list(reversed(parse_qsl(query))))
    answer = party.read(party.pass_pages(party.browser.go(f"{address}?{turned}"), person))
    tokens = party.tokens(party.redeem(answer))

    told = party.userinfo(tokens.access_token).json()
    assert told.keys() == {"sub", "email", "email_verified"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("display", "page"),
        ("display", "popup"),
        ("login_hint", "buffy@id.example.com"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("extra", "foobar"),
        ("acr_values", "1 2"),
    ],
)
def test_what_is_unknown_or_impossible_disturbs_nobody(
    suite: Suite, person: Person, name: str, value: str
) -> None:
    """oidcc-display-page, oidcc-display-popup, oidcc-login-hint, oidcc-ui-locales,
    oidcc-claims-locales, oidcc-ensure-request-with-unknown-parameter-succeeds,
    oidcc-ensure-request-with-acr-values-succeeds."""
    suite.party().flow(person, **{name: value})


def test_the_acr_that_is_told_is_one_that_was_asked_for(suite: Suite, person: Person) -> None:
    """oidcc-ensure-request-with-acr-values-succeeds."""
    offered = suite.metadata["acr_values_supported"]

    tokens, _ = suite.party().flow(person, acr_values=" ".join(offered))

    assert tokens.id_token["acr"] in offered


def test_prompt_login_shows_the_form_again_and_tells_a_later_time(
    certified: Site, suite: Suite, person: Person
) -> None:
    """oidcc-prompt-login."""
    party = suite.party()
    first, _ = party.flow(person)

    certified.clock.advance(1)
    page = party.browser.go(party.url(prompt="login"))
    second = party.tokens(party.redeem(party.read(party.pass_pages(page, person))))

    assert 'id="sign-in"' in page.text
    assert second.id_token["auth_time"] > first.id_token["auth_time"]


def test_prompt_none_is_refused_to_a_stranger_and_silent_for_who_has_signed_in(
    certified: Site, suite: Suite, person: Person
) -> None:
    """oidcc-prompt-none-not-logged-in, oidcc-prompt-none-logged-in."""
    party = suite.party()

    refused = party.silently()
    first, _ = party.flow(person)
    certified.clock.advance(5)
    second = party.tokens(party.redeem(party.silently()))

    assert refused.error == "login_required"
    for claim in ("sub", "auth_time"):
        assert second.id_token[claim] == first.id_token[claim]


def test_max_age_asks_again_when_it_is_over_and_not_before(
    certified: Site, suite: Suite, person: Person
) -> None:
    """oidcc-max-age-1, oidcc-max-age-10000."""
    party = suite.party()
    first, _ = party.flow(person, max_age="15000")

    certified.clock.advance(2)
    silent = party.tokens(party.redeem(party.read(party.browser.go(party.url(max_age="10000")))))
    page = party.browser.go(party.url(max_age="1"))
    again = party.tokens(party.redeem(party.read(party.pass_pages(page, person))))

    assert silent.id_token["auth_time"] == first.id_token["auth_time"]
    assert 'id="sign-in"' in page.text
    assert again.id_token["auth_time"] == first.id_token["auth_time"] + 2


def test_a_hint_that_has_expired_is_still_a_hint(
    certified: Site, suite: Suite, person: Person
) -> None:
    """oidcc-id-token-hint."""
    party = suite.party()
    first, _ = party.flow(person)

    certified.clock.advance(3600)
    answer = party.silently(id_token_hint=first.body["id_token"])

    assert party.tokens(party.redeem(answer)).id_token["sub"] == first.id_token["sub"]


@pytest.mark.parametrize("seconds", [0, 30])
def test_a_code_that_comes_again_is_refused_and_its_token_dies(
    certified: Site, suite: Suite, person: Person, seconds: int
) -> None:
    """oidcc-codereuse, oidcc-codereuse-30seconds."""
    party = suite.party()
    answer = party.authorize(person)
    tokens = party.tokens(party.redeem(answer))
    assert party.userinfo(tokens.access_token).status_code == 200

    certified.clock.advance(seconds)
    checks.of_error(party.redeem(answer), "invalid_grant")

    assert party.userinfo(tokens.access_token).status_code == 401


@pytest.mark.parametrize("mode", [None, "form_post"])
def test_a_posted_request_outlives_the_login(
    suite: Suite, person: Person, mode: str | None
) -> None:
    """oidcc-ensure-post-request-succeeds."""
    party = suite.party()
    address = party.url(response_mode=mode).partition("?")[0]

    sent = party.browser.client.post(address, data=party.sent)
    page = party.browser.go(sent.headers["location"])
    answer = party.read(party.pass_pages(page, person))

    assert 'id="sign-in"' in page.text
    party.tokens(party.redeem(answer))


def test_an_essential_claim_is_told_by_userinfo_alone(suite: Suite, person: Person) -> None:
    """oidcc-claims-essential."""
    _, told = suite.party().flow(person, claims='{"userinfo":{"name":{"essential":true}}}')

    assert told == {"sub": person.id, "name": CLAIMS["name"]}


def test_an_address_that_is_not_registered_is_shown_and_never_followed(
    suite: Suite, person: Person
) -> None:
    """oidcc-ensure-registered-redirect-uri, oidcc-ensure-request-object-with-redirect-uri."""
    party = suite.party()
    unregistered = f"{party.callback}/{person.username}"
    party.url()
    inside = unsigned(party)

    pages = [
        party.browser.go(party.url(redirect_uri=unregistered)),
        party.browser.go(party.url(redirect_uri=unregistered, request=inside)),
    ]

    for page in pages:
        assert page.status_code == 400
        assert checks.is_page(page)


def test_without_a_response_type_the_error_is_told_to_the_client(suite: Suite) -> None:
    """oidcc-response-type-missing."""
    party = suite.party()

    answer = party.read(party.browser.go(party.url(response_type=None)))

    assert answer.error == "invalid_request"


def unsigned(party: Party, **changes: str) -> str:
    """A request object without a signature, with what was sent last inside."""
    inside = {**party.sent, "iss": party.client["client_id"], "aud": party.suite.issuer}
    return jwt.encode({**inside, **changes}, "", algorithm="none")


def test_unsigned_request_objects_are_refused_and_the_metadata_says_so(suite: Suite) -> None:
    """oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported,
    oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported,
    oidcc-idtoken-unsigned."""
    party = suite.party()
    party.url()
    inside = unsigned(party, state="inside", nonce="inside")

    answer = party.browser.go(party.url(request=inside))
    none = suite.ask_to_register(**suite.describe(id_token_signed_response_alg="none"))

    assert party.read(answer).error in {"request_not_supported", "invalid_request_object"}
    assert "none" not in suite.metadata["request_object_signing_alg_values_supported"]
    assert "none" not in suite.metadata["id_token_signing_alg_values_supported"]
    checks.of_error(none, "invalid_client_metadata")


# · refresh-token


def offline(suite: Suite, person: Person, **changes: Any) -> tuple[Party, Any]:
    party = suite.party(grant_types=TWICE, **changes)
    tokens, _ = party.flow(person, scope="openid offline_access", prompt="consent")
    return party, tokens


@pytest.mark.parametrize("method", METHODS)
def test_a_refresh_gives_the_same_person_and_new_tokens(
    certified: Site, suite: Suite, person: Person, method: str
) -> None:
    """oidcc-refresh-token."""
    party, first = offline(suite, person, token_endpoint_auth_method=method)

    certified.clock.advance(5)
    response = party.refresh(first.body["refresh_token"], scope="openid offline_access")
    second = party.tokens(response, refreshed=True)

    assert "refresh_token" in suite.metadata["grant_types_supported"]
    assert "offline_access" in suite.metadata["scopes_supported"]
    assert second.access_token != first.access_token
    assert second.id_token["iat"] > first.id_token["iat"]
    for claim in ("iss", "sub", "aud", "auth_time"):
        assert second.id_token[claim] == first.id_token[claim]
    assert second.id_token.get("nonce", first.id_token["nonce"]) == first.id_token["nonce"]
    assert "azp" not in second.id_token
    assert party.userinfo(second.access_token).json()["sub"] == person.id


def test_a_refresh_token_of_another_client_is_refused(suite: Suite, person: Person) -> None:
    """oidcc-refresh-token, with both clients in one browser."""
    first, tokens = offline(suite, person)
    second, _ = offline(suite, person, key=KEYS[1], browser=first.browser)

    stolen = second.refresh(tokens.body["refresh_token"])

    checks.of_error(stolen, "invalid_grant")
    assert first.refresh(tokens.body["refresh_token"]).status_code == 200
