"""RFC 9701: an introspection answer that one resource server can keep, and nobody can forge."""

from typing import Any

import jwt
import pytest
from httpx2 import Response

from tests.factories import make_client, make_resource
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

JWT = "application/token-introspection+jwt"


def introspect(party: RelyingParty, token: str, accept: str = JWT) -> Response:
    assert party.app.client_secret is not None
    return party.site.http.post(
        "/introspect",
        data={"token": token},
        headers={"accept": accept},
        auth=(party.app.client_id, party.app.client_secret),
    )


def read(site: Site, party: RelyingParty, answer: Response) -> dict[str, Any]:
    """Verify the answer as its receiver would (§5, §8.1)."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == JWT
    assert answer.headers["cache-control"] == "no-store"
    header = jwt.get_unverified_header(answer.text)
    assert header["typ"] == "token-introspection+jwt"
    keys = jwt.PyJWKSet.from_dict(site.http.get("/jwks.json").json())
    claims: dict[str, Any] = jwt.decode(
        answer.text,
        keys[header["kid"]].key,
        algorithms=[header["alg"]],
        audience=party.app.client_id,
        issuer=site.issuer,
        options={"verify_iat": False},
    )
    return claims


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA", None])
def test_the_answer_is_signed_as_the_client_registered(site: Site, alg: str | None) -> None:
    party, _, _, tokens = signed_in(site, introspection_signed_response_alg=alg)

    answer = introspect(party, tokens["access_token"])

    claims = read(site, party, answer)
    assert jwt.get_unverified_header(answer.text)["alg"] == (alg or "RS256")
    assert claims["token_introspection"] == party.introspect(tokens["access_token"])
    assert claims["iat"] == int(site.clock.now.timestamp())


def test_nothing_outside_the_member_can_be_taken_for_another_token(site: Site) -> None:
    """§5: neither `sub` nor `exp`; and no door of ours takes the answer."""
    party, _, _, tokens = signed_in(site)
    answer = introspect(party, tokens["access_token"])

    assert set(read(site, party, answer)) == {"iss", "aud", "iat", "token_introspection"}
    assert party.userinfo(answer.text).status_code == 401
    assert party.introspect(answer.text) == {"active": False}
    assert site.http.get("/logout", params={"id_token_hint": answer.text}).status_code == 400


def test_a_token_that_is_not_active_is_signed_away_too(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    stranger = RelyingParty(site, make_client(site))

    for asking, token in (
        (party, "garbage"),
        (party, tokens["id_token"]),
        (stranger, tokens["access_token"]),
        (stranger, tokens["refresh_token"]),
    ):
        claims = read(site, asking, introspect(asking, token))
        assert claims["token_introspection"] == {"active": False}


@pytest.mark.parametrize(
    ("accept", "is_jwt"),
    [
        (JWT, True),
        (JWT.upper(), True),
        (f"application/json;q=0.5, {JWT}", True),
        (f"application/json, {JWT}", True),
        (f"application/json, {JWT};q=0.5", False),
        (f"{JWT};q=0", False),
        (f"{JWT};q=nan", False),
        ("application/json", False),
        ("*/*", False),
        ("application/*", False),
        ("", False),
        (";,;q=,x;;q", False),
    ],
)
def test_json_is_the_answer_unless_the_jwt_is_asked_for(
    site: Site, accept: str, is_jwt: bool
) -> None:
    party = RelyingParty(site, make_client(site))

    answer = introspect(party, "garbage", accept)

    assert (answer.headers["content-type"] == JWT) is is_jwt


def test_an_error_stays_json(site: Site) -> None:
    party = RelyingParty(site, make_client(site))

    answer = introspect(party, "")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_resource_server_learns_of_tokens_meant_for_it_and_of_no_others(site: Site) -> None:
    server, other = (RelyingParty(site, make_client(site, "service")) for _ in range(2))
    api = make_resource(site, "https://api.example.net/", client_id=server.app.client_id)
    make_resource(site, "https://other.example.net/", client_id=other.app.client_id)
    party, browser, person, tokens = signed_in(site)
    code = party.authorize(browser, person, scope="openid email", resource=api).code
    meant = party.redeem(code).json()

    told = server.introspect(meant["access_token"])
    signed = read(site, server, introspect(server, meant["access_token"]))

    assert (told["active"], told["aud"], told["sub"]) == (True, api, person.id)
    assert "username" not in told
    assert signed["token_introspection"] == told
    for asking, token in (
        (server, tokens["access_token"]),
        (server, meant["refresh_token"]),
        (other, meant["access_token"]),
    ):
        assert asking.introspect(token) == {"active": False}


def test_a_name_is_told_to_who_may_know_it(site: Site) -> None:
    party, browser, person, tokens = signed_in(site, subject_type="pairwise")
    gateway = RelyingParty(site, make_client(site, "service", may_introspect=True))
    little = party.redeem(party.authorize(browser, person, scope="openid").code).json()

    assert party.introspect(tokens["access_token"])["username"] == person.username
    assert "username" not in party.introspect(little["access_token"])
    assert gateway.introspect(little["access_token"])["username"] == person.username
