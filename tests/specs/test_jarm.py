"""JWT Secured Authorization Response Mode (JARM): the answer is one JWT that the server signs."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from httpx2 import Response
from sqlalchemy import delete

from oidc_server.domain.client_metadata import InvalidClientMetadataError
from oidc_server.domain.signing_keys.timeline import SigningKeyRow
from tests.client_assertions import KEYS, key_set
from tests.factories import make_client
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.specs.test_form_post_response_mode import Form
from tests.wire import row_counts

MODES = ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"]
TEN_MINUTES = 600


def params_of(mode: str, answer: Response) -> dict[str, str]:
    """All that is sent to the client, by way of the mode."""
    if mode == "form_post.jwt":
        return {str(name): str(value) for name, value in Form(answer.text).fields}
    parts = urlsplit(answer.headers["location"])
    text, empty = (
        (parts.fragment, parts.query) if "fragment" in mode else (parts.query, parts.fragment)
    )
    assert empty == ""
    return dict(parse_qsl(text, strict_parsing=True))


def opened(site: Site, party: RelyingParty, token: str, alg: str = "RS256") -> dict[str, Any]:
    """The claims, after the checks of JARM §2.4."""
    head = jwt.get_unverified_header(token)
    keys = {key["kid"]: jwt.PyJWK(key) for key in site.http.get("/jwks.json").json()["keys"]}
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[head["kid"]].key,
        [alg],
        audience=party.app.client_id,
        issuer=site.issuer,
        options={"verify_exp": False, "require": ["exp", "iss", "aud"]},
    )
    assert "typ" not in head
    assert 0 < claims["exp"] - site.clock.now.timestamp() <= TEN_MINUTES
    return claims


@pytest.mark.parametrize("mode", MODES)
def test_section_2_1_a_code_is_told_in_a_jwt_and_nothing_beside_it(site: Site, mode: str) -> None:
    party, browser, _, _ = signed_in(site)

    params = params_of(mode, browser.go(party.url(response_mode=mode)))
    claims = opened(site, party, params["response"])

    assert params.keys() == {"response"}
    assert claims.keys() == {"iss", "aud", "exp", "code", "state"}
    assert claims["state"] == party.state
    assert party.redeem(claims["code"]).status_code == 200


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "admin"}, "invalid_scope"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"prompt": "none", "max_age": "0"}, "login_required"),
    ],
    ids=str,
)
def test_section_2_1_an_error_is_told_in_a_jwt_too(
    site: Site, mode: str, changes: dict[str, Any], error: str
) -> None:
    party, browser, _, _ = signed_in(site)
    site.clock.advance(1)

    params = params_of(mode, browser.go(party.url(response_mode=mode, **changes)))
    claims = opened(site, party, params["response"])

    assert params.keys() == {"response"}
    assert claims.keys() == {"iss", "aud", "exp", "error", "error_description", "state"}
    assert claims["error"] == error


def test_section_2_3_4_who_asks_for_a_token_is_answered_in_the_fragment(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    answer = browser.go(party.url(response_mode="jwt", response_type="token"))
    claims = opened(site, party, params_of("fragment.jwt", answer)["response"])

    assert claims["error"] == "unsupported_response_type"


def test_without_a_state_none_is_told(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    params = params_of("jwt", browser.go(party.url(response_mode="jwt", state=None)))

    assert "state" not in opened(site, party, params["response"])


def test_no_code_is_made_that_cannot_be_told(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    with site.db() as db:
        db.session.execute(delete(SigningKeyRow).where(SigningKeyRow.alg == "RS256"))
    site.clock.advance(30)  # keys are read again, and it is not noted that the session is used
    before = row_counts(site)

    answer = browser.go(party.url(response_mode="jwt"))

    assert answer.status_code == 500
    assert row_counts(site) == before


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_section_3_the_client_chooses_the_algorithm(site: Site, alg: str) -> None:
    party, browser, _, _ = signed_in(site, authorization_signed_response_alg=alg)

    params = params_of("jwt", browser.go(party.url(response_mode="jwt")))

    assert opened(site, party, params["response"], alg)["code"]


def test_section_3_an_algorithm_that_signs_nothing_is_not_registered(site: Site) -> None:
    for alg in ("none", "HS256", "RS1"):
        with pytest.raises(InvalidClientMetadataError, match="authorization_signed_response_alg"):
            make_client(site, authorization_signed_response_alg=alg)


def test_a_fapi_client_is_never_answered_with_rs256(site: Site) -> None:
    keys = key_set(*KEYS.values())

    with pytest.raises(InvalidClientMetadataError, match="authorization_signed_response_alg"):
        make_client(site, profile="fapi2", jwks=keys, authorization_signed_response_alg="RS256")


def test_the_jwt_is_no_hint_and_no_token(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    response = params_of("jwt", browser.go(party.url(response_mode="jwt")))["response"]
    before = row_counts(site)

    answer = party.read(browser.go(party.url(prompt="none", id_token_hint=response)))

    assert answer.error == "invalid_request"
    assert party.userinfo(response).status_code == 401
    assert party.introspect(response) == {"active": False}
    assert row_counts(site) == before


def test_section_4_the_metadata_say_so(site: Site) -> None:
    found = site.http.get("/.well-known/oauth-authorization-server").json()

    assert set(MODES) <= set(found["response_modes_supported"])
    algorithms = {"ES256", "RS256", "PS256", "EdDSA"}
    assert set(found["authorization_signing_alg_values_supported"]) == algorithms
