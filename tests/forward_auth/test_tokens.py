"""A program in front of a service that knows nothing of OAuth."""

from collections.abc import Callable

import pytest

from oidc_server.domain import endings, roles
from oidc_server.oauth2.vocabulary import TWO_FACTOR_ACR
from tests.callers import token_of
from tests.dpop import ProvingParty, proofs_for
from tests.factories import make_client, make_resource, make_user
from tests.forward_auth.asking import PAGE, ask, identity
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

STOCK = "https://id.example.com/stock"


def test_a_token_passes_with_what_it_may_tell(site: Site) -> None:
    party, _, person, tokens = signed_in(site)

    answer = ask(site.http, authorization=f"Bearer {tokens['access_token']}")

    assert answer.status_code == 200
    assert identity(answer) == {
        "user": person.id,
        "username": person.username,
        "email": person.email,
        "scopes": "email openid profile",
        "roles": "user",
        "client": party.app.client_id,
    }


def test_a_token_without_their_scopes_tells_neither_name_nor_address(site: Site) -> None:
    party, person = RelyingParty(site, make_client(site)), make_user(site)
    token = token_of(site, party, person, "openid")

    told = identity(ask(site.http, authorization=f"Bearer {token}"))

    assert told.keys() == {"user", "scopes", "roles", "client"}


def test_a_client_for_itself_is_nobody(site: Site) -> None:
    make_resource(site, STOCK, "stock:read stock:write")
    app = make_client(site, "service", scopes=["stock:read", "stock:write"])
    token = RelyingParty(site, app).token(
        grant_type="client_credentials", scope="stock:read", resource=STOCK
    )
    header = f"Bearer {token.json()['access_token']}"

    passed = ask(site.http, f"resource={STOCK}&scope=stock:read", authorization=header)
    narrow = ask(site.http, f"resource={STOCK}&scope=stock:read+stock:write", authorization=header)
    elsewhere = ask(site.http, "scope=stock:read", authorization=header)
    no_person = ask(site.http, f"resource={STOCK}&role=user", authorization=header)

    assert identity(passed) == {"scopes": "stock:read", "client": app.client_id}
    assert narrow.status_code == 403
    assert 'scope="stock:read stock:write"' in narrow.headers["www-authenticate"]
    assert elsewhere.status_code == 401
    assert 'error="invalid_token"' in elsewhere.headers["www-authenticate"]
    assert no_person.status_code == 403


def test_without_a_token_the_challenge_names_no_error(site: Site) -> None:
    answer = ask(site.http, "accept=token")

    assert answer.status_code == 401
    assert "error=" not in answer.headers["www-authenticate"]


def test_a_token_of_its_own_kind_counts_before_a_session(site: Site) -> None:
    _, browser, _, tokens = signed_in(site)
    good = ask(browser.client, authorization=f"Bearer {tokens['access_token']}")
    bad = ask(browser.client, authorization="Bearer nonsense", **PAGE)

    assert "client" in identity(good)
    assert bad.status_code == 401
    assert "location" not in bad.headers


@pytest.mark.parametrize("how", ["revoked", "disabled", "expired"])
def test_a_token_is_dead_at_once(site: Site, how: str) -> None:
    party, _, person, tokens = signed_in(site)
    header = f"Bearer {tokens['access_token']}"
    assert ask(site.http, authorization=header).status_code == 200

    match how:
        case "revoked":
            party.post("/revoke", token=tokens["access_token"])
        case "disabled":
            with site.db() as db:
                endings.disable_user(db, person.id, site.clock.now)
        case "expired":
            site.clock.advance(tokens["expires_in"] + 60)

    assert ask(site.http, authorization=header).status_code == 401


def test_a_role_is_looked_up_now_and_not_when_the_token_was_made(site: Site) -> None:
    _, _, person, tokens = signed_in(site)
    header = f"Bearer {tokens['access_token']}"

    before = ask(site.http, "role=moderator", authorization=header)
    with site.db() as db:
        roles.assign(db, person.id, roles.MODERATOR, site.clock.now)
    after = ask(site.http, "role=moderator", authorization=header)

    assert (before.status_code, after.status_code) == (403, 200)


def test_a_weak_sign_in_behind_a_token_is_told_what_is_wanted(site: Site) -> None:
    _, _, _, tokens = signed_in(site)

    answer = ask(
        site.http, f"acr={TWO_FACTOR_ACR}", authorization=f"Bearer {tokens['access_token']}"
    )

    assert answer.status_code == 401
    assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]
    assert f'acr_values="{TWO_FACTOR_ACR}"' in answer.headers["www-authenticate"]


def test_a_proof_is_for_the_request_to_the_service(site: Site) -> None:
    party = ProvingParty(site, make_client(site), proofs_for(site))
    token = token_of(site, party, make_user(site), "openid")

    def sent(method: str, uri: str, proof: str) -> int:
        header = f"DPoP {token}"
        return ask(site.http, method=method, uri=uri, authorization=header, dpop=proof).status_code

    make = proofs_for(site, party.proofs.key if party.proofs else None).make
    proof = make("PUT", "/stock/7", token)

    assert sent("PUT", "/stock/8", make("PUT", "/stock/7", token)) == 401
    assert sent("GET", "/stock/7", make("PUT", "/stock/7", token)) == 401
    assert sent("PUT", "/stock/7?x=1", proof) == 200
    assert sent("PUT", "/stock/7", proof) == 401, "a proof is good once"
    assert sent("PUT", "/st%6Fck/%37", proof) == 401, "however its address is written"
    assert sent("PUT", "/st%6fck/7", make("PUT", "/stock/%37", token)) == 200
    assert ask(site.http, authorization=f"Bearer {token}").status_code == 401


def test_guesses_at_tokens_are_counted_and_strangers_are_not(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(rate_limits=True, rate_limit_failures=3)
    strangers = {ask(site.http).status_code for _ in range(9)}
    guesses = [ask(site.http, authorization="Bearer x").status_code for _ in range(5)]

    assert strangers == {401}
    assert guesses == [401, 401, 401, 429, 429]
    assert ask(site.http).status_code == 401, "browsers at the same address go on"
