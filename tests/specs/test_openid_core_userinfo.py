"""OpenID Connect Core §5.3 and RFC 6750: userinfo answers one kind of token, sent one way."""

from typing import Any

import jwt
import pytest

from oidc_server.domain import endings
from tests.browser import Browser
from tests.factories import make_client, make_resource, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import FORM, Raw, ask


def bearer(token: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {token}")


def challenged(answer: Raw, status: int, error: str | None) -> None:
    """RFC 6750 §3."""
    challenge = answer.header("www-authenticate") or ""
    assert answer.status == status, answer.text
    assert challenge.startswith('Bearer realm="https://id.example.com"')
    assert (f'error="{error}"' in challenge) == (error is not None)
    assert answer.header("cache-control") == "no-store"


def test_get_and_both_kinds_of_post_answer_the_same(site: Site) -> None:
    party, _, person, tokens = signed_in(site)
    token = tokens["access_token"]

    answers = [
        ask(site, "GET", "/userinfo", headers=(bearer(token),)),
        ask(site, "POST", "/userinfo", headers=(bearer(token),)),
        ask(site, "POST", "/userinfo", headers=(bearer(token), FORM)),
        ask(site, "POST", "/userinfo", headers=(FORM,), body=f"access_token={token}".encode()),
        ask(site, "GET", "/userinfo", headers=(("authorization", f"bEARER  {token}"),)),
    ]

    assert [answer.status for answer in answers] == [200] * 5
    assert {answer.header("content-type") for answer in answers} == {"application/json"}
    assert {answer.header("cache-control") for answer in answers} == {"no-store"}
    assert len({answer.body for answer in answers}) == 1
    assert party.userinfo(token).json() == {
        "sub": person.id,
        "name": f"Person {person.username.removeprefix('person')}",
        "preferred_username": person.username,
        "updated_at": int(site.clock.now.timestamp()),
        "email": person.email,
        "email_verified": True,
    }


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("openid", {"sub"}),
        ("openid email", {"sub", "email", "email_verified"}),
        ("profile openid", {"sub", "name", "preferred_username", "updated_at"}),
    ],
)
def test_a_scope_gives_its_claims_and_no_others(site: Site, scope: str, told: set[str]) -> None:
    party, browser, person, _ = signed_in(site)

    tokens = party.redeem(party.authorize(browser, person, scope=scope).code).json()

    assert set(party.userinfo(tokens["access_token"]).json()) == told
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert not {"name", "preferred_username", "email", "email_verified"} & set(claims)


def test_a_claim_without_a_value_is_left_out(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    person = make_user(site, name="", email_verified=False)
    browser = Browser(site.browser(), site.issuer)

    tokens = party.redeem(party.authorize(browser, person).code).json()
    told = party.userinfo(tokens["access_token"]).json()

    assert "name" not in told
    assert told["email_verified"] is False
    assert all(value not in (None, "") for value in told.values())


def test_without_a_token_the_challenge_says_no_error(site: Site) -> None:
    _, _, _, tokens = signed_in(site)
    nothing: list[tuple[tuple[str, str], ...]] = [
        (),
        (("authorization", ""),),
        (("authorization", "Bearer"),),
        (("authorization", "Bearer "),),
        (("authorization", f"Basic {tokens['access_token']}"),),
        (("authorization", tokens["access_token"]),),
        (("cookie", f"access_token={tokens['access_token']}"),),
    ]

    for headers in nothing:
        challenged(ask(site, "GET", "/userinfo", headers=headers), 401, None)
    query = f"/userinfo?access_token={tokens['access_token']}"
    challenged(ask(site, "GET", query), 401, None)
    challenged(ask(site, "POST", query), 401, None)


def test_a_token_sent_in_two_ways_is_refused(site: Site) -> None:
    _, _, _, tokens = signed_in(site)
    token = tokens["access_token"]
    body = f"access_token={token}".encode()

    for headers, sent in (
        ((bearer(token), bearer(token)), b""),
        ((bearer(token), FORM), body),
        ((FORM,), body + b"&" + body),
    ):
        answer = ask(site, "POST", "/userinfo", headers=headers, body=sent)
        challenged(answer, 400, "invalid_request")
        assert '"error":"invalid_request"' in answer.text


def forgeries(tokens: dict[str, Any]) -> dict[str, str]:
    token: str = tokens["access_token"]
    head, body, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    return {
        "an ID Token": tokens["id_token"],
        "a refresh token": tokens["refresh_token"],
        "garbage": "x",
        "not ASCII": "\u00e9.\u00e9.\u00e9",
        "very long": "x" * 60_000,
        "without a signature": f"{head}.{body}.",
        "with another signature": f"{head}.{body}.{signature[:-4]}AAAA",
        "with alg none": jwt.encode(claims, "", "none", headers={"typ": "at+jwt"}),
        "with a key of its own": jwt.encode(
            claims, "a key as long as a key must be at least", "HS256", headers={"typ": "at+jwt"}
        ),
        "shortened": token[:-1],
    }


def test_nothing_but_an_access_token_will_do(site: Site) -> None:
    _, _, _, tokens = signed_in(site)

    for name, token in forgeries(tokens).items():
        answer = ask(site, "GET", "/userinfo", headers=(bearer(token),))
        assert answer.status == 401, name
        challenged(answer, 401, "invalid_token")


def test_an_expired_token_is_refused(site: Site) -> None:
    party, _, _, tokens = signed_in(site)

    site.clock.advance(600 + 1)
    within_leeway = party.userinfo(tokens["access_token"]).status_code
    site.clock.advance(2)

    assert within_leeway == 200
    challenged(
        ask(site, "GET", "/userinfo", headers=(bearer(tokens["access_token"]),)),
        401,
        "invalid_token",
    )


def test_a_token_for_another_resource_is_refused(site: Site) -> None:
    resource = make_resource(site, "https://api.example.net/")
    party, browser, person, _ = signed_in(site)
    code = party.authorize(browser, person, resource=resource).code
    token = party.redeem(code).json()["access_token"]

    challenged(ask(site, "GET", "/userinfo", headers=(bearer(token),)), 401, "invalid_token")


def test_a_token_without_openid_has_insufficient_scope(site: Site) -> None:
    party, browser, person, _ = signed_in(site)
    token = party.redeem(party.authorize(browser, person, scope="email").code).json()

    answer = ask(site, "GET", "/userinfo", headers=(bearer(token["access_token"]),))

    challenged(answer, 403, "insufficient_scope")
    assert 'scope="openid"' in (answer.header("www-authenticate") or "")
    assert "id_token" not in token


def test_a_token_dies_with_its_person_at_the_next_request(site: Site) -> None:
    party, _, person, tokens = signed_in(site)
    assert party.userinfo(tokens["access_token"]).status_code == 200

    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    challenged(
        ask(site, "GET", "/userinfo", headers=(bearer(tokens["access_token"]),)),
        401,
        "invalid_token",
    )


def test_a_client_that_acts_for_itself_is_no_person(site: Site) -> None:
    party = RelyingParty(site, make_client(site, "service", scopes=("openid", "email")))
    token = party.token(grant_type="client_credentials").json()["access_token"]

    challenged(ask(site, "GET", "/userinfo", headers=(bearer(token),)), 401, "invalid_token")
