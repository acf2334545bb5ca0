"""RFC 9449: a bound token is worth nothing without its key, nor a proof that was used before."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from oidc_server.domain import used_jtis
from tests.browser import Browser
from tests.dpop import ALGORITHMS, Key, Proofs, ProvingParty, ath, encoded, proofs_for
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.tokens import claims_of
from tests.wire import FORM, Raw, ask, row_counts

HOUR = 3600
DAY = 24 * HOUR


def proving(
    site: Site, client_type: Any = "web", key: Key | None = None, **client: Any
) -> ProvingParty:
    return ProvingParty(site, make_client(site, client_type, **client), proofs_for(site, key))


def code_for(party: RelyingParty, site: Site, **changes: str) -> str:
    browser = Browser(site.browser(), site.issuer)
    return party.authorize(browser, make_user(site), **changes).code


def signed_in(
    site: Site, client_type: Any = "web", **client: Any
) -> tuple[ProvingParty, dict[str, Any]]:
    party = proving(site, client_type, **client)
    response = party.redeem(code_for(party, site))
    assert response.status_code == 200, response.text
    return party, response.json()


def refused(answer: Any, error: str = "invalid_dpop_proof", status: int = 400) -> bool:
    assert answer.headers["cache-control"] == "no-store"
    found = (answer.status_code, answer.json()["error"])
    assert found == (status, error), answer.text
    return True


def at_resource(site: Site, token: str, *proofs: str, scheme: str = "DPoP", **changes: Any) -> Raw:
    headers = (("authorization", f"{scheme} {token}"), *[("dpop", proof) for proof in proofs])
    return ask(site, changes.get("method", "GET"), "/userinfo", headers=headers)


def damaged(proof: str, **changes: Any) -> str:
    """The proof with another header under the same signature."""
    head, payload, signature = proof.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    header = {name: value for name, value in {**header, **changes}.items() if value is not None}
    return ".".join((encoded(json.dumps(header).encode()), payload, signature))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_section_5_a_proof_binds_the_access_token_to_its_key(site: Site, alg: str) -> None:
    party = proving(site, key=Key(alg))

    tokens = party.redeem(code_for(party, site)).json()

    assert tokens["token_type"] == "DPoP"
    assert claims_of(tokens["access_token"])["cnf"] == {"jkt": party.jkt}
    assert "cnf" not in claims_of(tokens["id_token"])
    assert party.userinfo(tokens["access_token"]).status_code == 200


def test_section_5_every_grant_binds(site: Site) -> None:
    service = proving(site, "service", scopes=("read",))
    party = proving(site, grant_types=("password",))
    person = make_user(site)

    for answer, key in (
        (service.token(grant_type="client_credentials"), service.jkt),
        (
            party.token(grant_type="password", username=person.username, password=person.password),
            party.jkt,
        ),
    ):
        tokens = answer.json()
        assert tokens["token_type"] == "DPoP", tokens
        assert claims_of(tokens["access_token"])["cnf"] == {"jkt": key}


def test_without_a_proof_everything_stays_bearer(site: Site) -> None:
    party = RelyingParty(site, make_client(site))

    tokens = party.redeem(code_for(party, site)).json()

    assert tokens["token_type"] == "Bearer"
    assert "cnf" not in claims_of(tokens["access_token"])
    assert row_counts(site)["used_jtis"] == 0


def test_section_5_2_a_bound_client_gets_nothing_without_a_proof(site: Site) -> None:
    party = proving(site, dpop_bound_access_tokens=True)
    code = code_for(party, site)
    proofs, party.proofs = party.proofs, None

    assert refused(party.redeem(code), "invalid_request")

    party.proofs = proofs
    tokens = party.redeem(code).json()
    assert tokens["token_type"] == "DPoP"
    party.proofs = None
    assert refused(party.refresh(tokens["refresh_token"]), "invalid_request")


Bad = Callable[[Proofs, str], list[str]]


def one(**changes: Any) -> Bad:
    return lambda proofs, token: [proofs.make("GET", "/userinfo", token, **changes)]


def broken(change: Callable[[str], str]) -> Bad:
    return lambda proofs, token: [change(proofs.make("GET", "/userinfo", token))]


def stranger(key: Key) -> Bad:
    """Signed with one key, while the header shows the one that the token is bound to."""

    def make(proofs: Proofs, token: str) -> list[str]:
        other = Proofs(proofs.issuer, proofs.now, key)
        return [other.make("GET", "/userinfo", token, headers={"jwk": proofs.key.public_jwk})]

    return make


def unsigned(proofs: Proofs, token: str) -> list[str]:
    payload = claims_of(proofs.make("GET", "/userinfo", token))
    head = {"typ": "dpop+jwt", "jwk": proofs.key.public_jwk}
    return [jwt.encode(payload, "", "none", headers=head)]


def symmetric(proofs: Proofs, token: str) -> list[str]:
    payload = claims_of(proofs.make("GET", "/userinfo", token))
    secret = "a secret that is long enough to be a key"
    head = {"typ": "dpop+jwt", "jwk": {"kty": "oct", "k": encoded(secret.encode())}}
    return [jwt.encode(payload, secret, "HS256", headers=head)]


def with_private_key(proofs: Proofs, token: str) -> list[str]:
    return [proofs.make("GET", "/userinfo", token, headers={"jwk": proofs.key.private_jwk})]


NEGATIVE: dict[str, Bad] = {
    "two headers": lambda proofs, token: [
        proofs.make("GET", "/userinfo", token),
        proofs.make("GET", "/userinfo", token),
    ],
    "two in one header": lambda proofs, token: [
        ", ".join(proofs.make("GET", "/userinfo", token) for _ in range(2))
    ],
    "no proof": lambda proofs, token: [],
    "an empty header": lambda proofs, token: [""],
    "no JWT": lambda proofs, token: ["x"],
    "not ASCII": lambda proofs, token: ["\u00e9.\u00e9.\u00e9"],
    "very long": lambda proofs, token: ["x" * 40_000],
    "four parts": broken(lambda proof: proof + ".x"),
    "no signature": broken(lambda proof: proof.rpartition(".")[0] + "."),
    "no alg": broken(lambda proof: damaged(proof, alg=None)),
    "no jwk": broken(lambda proof: damaged(proof, jwk=None)),
    "jwk is a text": broken(lambda proof: damaged(proof, jwk="x")),
    "bad signature": broken(lambda proof: damaged(proof, more="x")),
    "critical extension": one(headers={"crit": ["x"], "x": 1}),
    "no typ": one(headers={"typ": None}),
    "typ JWT": one(headers={"typ": "JWT"}),
    "typ is a number": one(headers={"typ": 7}),
    "no jti": one(jti=None),
    "empty jti": one(jti=""),
    "jti is a number": one(jti=7),
    "very long jti": one(jti="x" * 257),
    "no htm": one(htm=None),
    "another htm": one(htm="POST"),
    "htm in small letters": one(htm="get"),
    "no htu": one(htu=None),
    "htu is a number": one(htu=7),
    "htu of another path": one(htu="https://id.example.com/token"),
    "htu with more path": one(htu="https://id.example.com/userinfo/"),
    "htu of another host": one(htu="https://id.example.org/userinfo"),
    "htu of another port": one(htu="https://id.example.com:8443/userinfo"),
    "htu of another scheme": one(htu="http://id.example.com/userinfo"),
    "htu with a user": one(htu="https://a@id.example.com/userinfo"),
    "htu with a bad port": one(htu="https://id.example.com:x/userinfo"),
    "htu without a host": one(htu="/userinfo"),
    "no iat": one(iat=None),
    "iat is a text": one(iat="now"),
    "iat is true": one(iat=True),
    "iat is huge": one(iat=10**400),
    "an hour ago": one(iat=1767603600 - HOUR),
    "in an hour": one(iat=1767603600 + HOUR),
    "no ath": one(ath=None),
    "another ath": one(ath=ath("another token")),
    "alg none": unsigned,
    "HS256": symmetric,
    "the private key in jwk": with_private_key,
    "signed with another key": stranger(Key()),
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_section_4_3_a_bad_proof_is_refused_at_a_resource(site: Site, name: str) -> None:
    party, tokens = signed_in(site)
    assert party.proofs is not None
    token = tokens["access_token"]

    answer = at_resource(site, token, *NEGATIVE[name](party.proofs, token))

    assert answer.status == 401, answer.text
    assert json.loads(answer.body)["error"] == "invalid_dpop_proof"
    challenge = answer.header("www-authenticate") or ""
    assert challenge.startswith('DPoP algs="ES256 PS256 EdDSA Ed25519", ')
    assert 'error="invalid_dpop_proof"' in challenge
    assert answer.header("cache-control") == "no-store"
    assert party.userinfo(token).status_code == 200


@pytest.mark.parametrize(
    "name", [name for name in NEGATIVE if "ath" not in name and name != "no proof"]
)
def test_section_4_3_a_bad_proof_is_refused_at_the_token_endpoint(site: Site, name: str) -> None:
    party = proving(site, "spa")
    assert party.proofs is not None
    before = row_counts(site)
    proofs = NEGATIVE[name](party.proofs, "")
    body = f"grant_type=refresh_token&refresh_token=x&client_id={party.app.client_id}".encode()

    answer = ask(
        site, "POST", "/token", headers=(FORM, *[("dpop", proof) for proof in proofs]), body=body
    )

    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_dpop_proof")
    assert answer.header("www-authenticate") is None
    assert row_counts(site) == before


def test_rs256_is_refused_for_proofs(site: Site) -> None:
    party, tokens = signed_in(site)
    weak = proofs_for(site, Key("RS256"))
    token = tokens["access_token"]

    assert at_resource(site, token, weak.make("GET", "/userinfo", token)).status == 401
    party.proofs = weak
    assert refused(party.refresh(tokens["refresh_token"]))


GOOD: dict[str, dict[str, Any]] = {
    "a query": {"htu": "https://id.example.com/userinfo?a=b"},
    "a fragment": {"htu": "https://id.example.com/userinfo#a"},
    "capitals": {"htu": "HTTPS://ID.example.COM/userinfo"},
    "the default port": {"htu": "https://id.example.com:443/userinfo"},
    "an escape that need not be": {"htu": "https://id.example.com/user%69nfo"},
    "unknown claims": {"foo": {"bar": 1}, "iss": "x", "aud": "y"},
    "unknown headers": {"headers": {"foo": "bar", "kid": "x"}},
    "nbf and exp": {"nbf": 1767603600 + HOUR, "exp": 1767603600 - HOUR},
    "ten seconds ago": {"iat": 1767603600 - 10},
    "in ten seconds": {"iat": 1767603600 + 10},
    "half seconds": {"iat": 1767603600.5},
    "a nonce that nobody asked for": {"nonce": "x"},
    "the whole media type": {"headers": {"typ": "application/dpop+jwt"}},
    "the longest jti": {"jti": "x" * 256},
}


@pytest.mark.parametrize("name", GOOD)
def test_section_4_3_what_a_good_proof_may_hold(site: Site, name: str) -> None:
    party, tokens = signed_in(site)
    assert party.proofs is not None
    token = tokens["access_token"]

    answer = at_resource(site, token, party.proofs.make("GET", "/userinfo", token, **GOOD[name]))

    assert answer.status == 200, answer.text


@pytest.mark.parametrize(
    ("sent", "proved", "status"),
    [
        ("a%40b.example", "a%40b.example", 200),
        ("a%40b.example", "a@b.example", 401),
        ("a@b.example", "a@b.example", 200),
        ("m%C3%BCller", "m%c3%bcller", 200),
        ("m%C3%BCller", "%6D%C3%BCller", 200),
        ("m%C3%BCller", "muller", 401),
    ],
)
def test_section_4_3_the_address_is_compared_as_it_was_sent(
    site: Site, sent: str, proved: str, status: int
) -> None:
    make_user(site, username="müller", email="a@b.example")
    party = proving(site, "service", scopes=("users:read",))
    token = party.token(grant_type="client_credentials").json()["access_token"]

    headers = party.headers("GET", f"/api/v1/admin/users/{proved}", token)
    answer = site.http.get(f"/api/v1/admin/users/{sent}", headers=headers)

    assert answer.status_code == status, answer.text


def test_host_headers_say_nothing_about_our_address(start_site: Callable[..., Site]) -> None:
    site = start_site(trusted_hosts="evil.example")
    party, tokens = signed_in(site)
    assert party.proofs is not None
    token = tokens["access_token"]
    headers = (("authorization", f"DPoP {token}"), ("host", "evil.example"))

    for htu, status in (("https://evil.example", 401), (site.issuer, 200)):
        proof = party.proofs.make("GET", "/userinfo", token, htu=f"{htu}/userinfo")
        sent = (*headers, ("x-forwarded-host", "evil.example"), ("dpop", proof))
        assert ask(site, "GET", "/userinfo", headers=sent).status == status


def test_section_11_1_a_proof_is_good_once(site: Site) -> None:
    party, tokens = signed_in(site)
    assert party.proofs is not None
    token = tokens["access_token"]
    proof = party.proofs.make("GET", "/userinfo", token)

    first, second = at_resource(site, token, proof), at_resource(site, token, proof)
    site.clock.advance(59)
    third = at_resource(site, token, proof)

    assert [first.status, second.status, third.status] == [200, 401, 401]
    assert "invalid_dpop_proof" in second.text


def test_section_11_1_a_proof_is_good_once_at_the_token_endpoint(site: Site) -> None:
    party = proving(site, "service", scopes=("read",))
    assert party.proofs is not None
    proof = party.proofs.make()
    auth = (party.app.client_id, party.app.client_secret or "")
    data = {"grant_type": "client_credentials"}

    answers = [
        site.http.post("/token", data=data, auth=auth, headers={"dpop": proof}) for _ in range(2)
    ]

    assert answers[0].status_code == 200
    assert refused(answers[1])


def test_the_same_jti_of_another_key_or_address_is_another(site: Site) -> None:
    party, tokens = signed_in(site)
    other, others = signed_in(site)
    for who, token in ((party, tokens["access_token"]), (other, others["access_token"])):
        assert who.proofs is not None
        proof = who.proofs.make("GET", "/userinfo", token, jti="one")
        assert at_resource(site, token, proof).status == 200


def test_uses_are_forgotten_when_the_proof_is_too_old_anyway(site: Site) -> None:
    party, tokens = signed_in(site)
    assert party.proofs is not None
    token = tokens["access_token"]
    early = party.proofs.make("GET", "/userinfo", token, iat=site.clock.now.timestamp() + 60)
    assert at_resource(site, token, early).status == 200

    site.clock.advance(120)
    with site.db() as db:
        used_jtis.prune(db, site.clock.now, 100)

    assert at_resource(site, token, early).status == 401
    site.clock.advance(1)
    with site.db() as db:
        used_jtis.prune(db, site.clock.now, 100)
    assert at_resource(site, token, early).status == 401
    assert row_counts(site)["used_jtis"] == 0


def test_section_7_the_scheme_has_no_case(site: Site) -> None:
    party, tokens = signed_in(site)
    assert party.proofs is not None
    token = tokens["access_token"]

    for scheme in ("dPOP", "dpop", "DPOP"):
        proof = party.proofs.make("GET", "/userinfo", token)
        assert at_resource(site, token, proof, scheme=scheme).status == 200


def test_section_7_1_a_bound_token_is_no_bearer_token(site: Site) -> None:
    party, tokens = signed_in(site)
    assert party.proofs is not None
    token = tokens["access_token"]
    proof = party.proofs.make("GET", "/userinfo", token)

    answers = [
        at_resource(site, token, scheme="Bearer"),
        at_resource(site, token, proof, scheme="Bearer"),
        ask(site, "POST", "/userinfo", headers=(FORM,), body=f"access_token={token}".encode()),
    ]

    for answer in answers:
        challenge = answer.header("www-authenticate") or ""
        assert answer.status == 401
        assert challenge.startswith('DPoP algs="ES256 ')  # Bearer would never do
        assert "Bearer" not in challenge
        assert 'error="invalid_token"' in challenge


def test_section_7_1_a_bearer_token_is_no_bound_token(site: Site) -> None:
    bearer = RelyingParty(site, make_client(site))
    token = bearer.redeem(code_for(bearer, site)).json()["access_token"]
    proof = proofs_for(site).make("GET", "/userinfo", token)

    answer = at_resource(site, token, proof)

    assert answer.status == 401
    assert (answer.header("www-authenticate") or "").startswith("DPoP algs=")
    assert "invalid_token" in answer.text


def test_section_7_1_another_key_will_not_do(site: Site) -> None:
    _, tokens = signed_in(site)
    token = tokens["access_token"]
    thief = proofs_for(site).make("GET", "/userinfo", token)

    answer = at_resource(site, token, thief)

    assert answer.status == 401
    assert json.loads(answer.body)["error"] == "invalid_token"


def test_section_7_1_a_bound_token_is_sent_in_one_way(site: Site) -> None:
    party, tokens = signed_in(site)
    assert party.proofs is not None
    token = tokens["access_token"]
    proof = party.proofs.make("POST", "/userinfo", token)
    headers = (FORM, ("authorization", f"DPoP {token}"), ("dpop", proof))

    in_both = ask(site, "POST", "/userinfo", headers=headers, body=f"access_token={token}".encode())

    assert in_both.status == 400
    assert json.loads(in_both.body)["error"] == "invalid_request"
    assert ask(site, "POST", "/userinfo", headers=headers).status == 200


def test_section_7_1_both_schemes_are_offered_to_who_sends_nothing(site: Site) -> None:
    challenge = ask(site, "GET", "/userinfo").header("www-authenticate") or ""

    assert challenge.startswith('Bearer realm="https://id.example.com", ')
    assert challenge.endswith(', DPoP algs="ES256 PS256 EdDSA Ed25519"')


def test_section_6_2_introspection_tells_the_key(site: Site) -> None:
    party, tokens = signed_in(site)
    public, of_public = signed_in(site, "spa")
    observer = RelyingParty(site, make_client(site, may_introspect=True))

    told = party.introspect(tokens["access_token"])
    confidential = party.introspect(tokens["refresh_token"])
    bound = observer.introspect(of_public["refresh_token"])

    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": party.jkt})
    assert "cnf" not in confidential
    assert bound["cnf"] == {"jkt": public.jkt}


def pushed_code(party: ProvingParty, site: Site, **changes: str) -> str:
    """A code by way of a pushed request."""
    answer = party.post("/par", **party.parameters(**changes))
    assert answer.status_code == 201, answer.text
    query = {"client_id": party.app.client_id, "request_uri": answer.json()["request_uri"]}
    browser = Browser(site.browser(), site.issuer)
    page = browser.log_in(browser.go(f"/authorize?{urlencode(query)}"), make_user(site))
    return party.read(browser.allow(page)).code


Bound = Callable[[ProvingParty, Site], str]
BOUND: dict[str, Bound] = {
    "dpop_jkt": lambda party, site: code_for(party, site, dpop_jkt=party.jkt),
    "dpop_jkt at PAR": lambda party, site: pushed_code(party, site, dpop_jkt=party.jkt),
    "a proof at PAR": lambda party, site: pushed_code(proving_at_par(party), site),
    "both at PAR": lambda party, site: pushed_code(proving_at_par(party), site, dpop_jkt=party.jkt),
}


def proving_at_par(party: ProvingParty) -> ProvingParty:
    party.proving = {"/par", "/token"}
    return party


@pytest.mark.parametrize("how", BOUND)
def test_section_10_a_code_is_good_with_its_key_only(site: Site, how: str) -> None:
    party = proving(site, "spa")
    code = BOUND[how](party, site)
    proofs = party.proofs

    for wrong in (None, proofs_for(site)):
        party.proofs = wrong
        assert refused(party.redeem(code), "invalid_grant")
    party.proofs = proofs

    tokens = party.redeem(code).json()
    assert claims_of(tokens["access_token"])["cnf"] == {"jkt": party.jkt}


def test_section_10_1_a_proof_of_another_key_than_dpop_jkt_is_refused(site: Site) -> None:
    party = proving_at_par(proving(site))
    other = Key().jkt
    before = row_counts(site)

    answer = party.post("/par", **party.parameters(dpop_jkt=other))

    assert refused(answer)
    assert row_counts(site) == before


def test_section_10_1_a_bad_proof_is_refused_at_par_and_a_good_one_is_good_once(site: Site) -> None:
    party = proving(site)
    assert party.proofs is not None
    proof = party.proofs.make("POST", "/par")
    auth = (party.app.client_id, party.app.client_secret or "")

    answers = [
        site.http.post("/par", data=party.parameters(), auth=auth, headers={"dpop": sent})
        for sent in (party.proofs.make("POST", "/token"), proof, proof)
    ]

    assert refused(answers[0])
    assert answers[1].status_code == 201
    assert refused(answers[2])


def test_section_8_par_asks_for_a_nonce_and_tells_one(start_site: Callable[..., Site]) -> None:
    site = start_site(dpop_nonce="required")
    party = proving_at_par(proving(site))

    asked = party.post("/par", **party.parameters())
    party.dpop_nonce = asked.headers["dpop-nonce"]
    answer = party.post("/par", **party.parameters())

    assert refused(asked, "use_dpop_nonce")
    assert answer.status_code == 201
    assert answer.headers["dpop-nonce"]


def test_section_5_refresh_tokens_of_public_clients_are_bound(site: Site) -> None:
    party, tokens = signed_in(site, "spa")
    token, proofs = tokens["refresh_token"], party.proofs

    for wrong in (None, proofs_for(site)):
        party.proofs = wrong
        assert refused(party.refresh(token), "invalid_grant")
    party.proofs = proofs

    answer = party.refresh(token)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "DPoP"


def test_a_bound_refresh_token_does_not_rotate_and_may_come_again(site: Site) -> None:
    party, tokens = signed_in(site, "spa")
    token = tokens["refresh_token"]
    before = row_counts(site)["refresh_tokens"]

    for _ in range(3):
        site.clock.advance(30)
        answer = party.refresh(token)
        assert answer.json()["refresh_token"] == token
        assert party.userinfo(answer.json()["access_token"]).status_code == 200

    assert row_counts(site)["refresh_tokens"] == before


def test_a_bound_refresh_token_ends_when_unused_and_in_any_case(site: Site) -> None:
    party = proving(site, "spa")
    scope = "openid offline_access"
    token = party.redeem(code_for(party, site, scope=scope)).json()["refresh_token"]
    idle = party.redeem(code_for(party, site, scope=scope)).json()["refresh_token"]

    site.clock.advance(13 * DAY)
    assert party.refresh(token).status_code == 200
    site.clock.advance(13 * DAY)
    assert party.refresh(token).status_code == 200
    assert refused(party.refresh(idle), "invalid_grant")
    site.clock.advance(4 * DAY)
    assert refused(party.refresh(token), "invalid_grant")


def test_a_revoked_bound_refresh_token_is_dead(site: Site) -> None:
    party, tokens = signed_in(site, "spa")

    party.post("/revoke", token=tokens["refresh_token"])

    assert refused(party.refresh(tokens["refresh_token"]), "invalid_grant")


def test_a_public_client_that_begins_to_prove_is_bound_from_there(site: Site) -> None:
    party = proving(site, "spa")
    proofs, party.proofs = party.proofs, None
    first = party.redeem(code_for(party, site)).json()
    assert first["token_type"] == "Bearer"
    party.proofs = proofs

    second = party.refresh(first["refresh_token"]).json()

    assert second["token_type"] == "DPoP"
    assert second["refresh_token"] != first["refresh_token"]
    party.proofs = None
    assert refused(party.refresh(second["refresh_token"]), "invalid_grant")


def test_section_5_a_confidential_client_may_change_its_key_and_still_rotates(site: Site) -> None:
    party, tokens = signed_in(site)
    party.proofs = proofs_for(site)

    second = party.refresh(tokens["refresh_token"]).json()

    assert claims_of(second["access_token"])["cnf"] == {"jkt": party.jkt}
    assert second["refresh_token"] != tokens["refresh_token"]


def test_a_refused_proof_spends_neither_code_nor_refresh_token(site: Site) -> None:
    party = proving(site)
    code = code_for(party, site)
    proofs = party.proofs
    party.proofs = proofs_for(site, Key("RS256"))
    assert refused(party.redeem(code))
    party.proofs = proofs
    token = party.redeem(code).json()["refresh_token"]
    party.proofs = proofs_for(site, Key("RS256"))
    assert refused(party.refresh(token))
    party.proofs = proofs

    assert party.refresh(token).status_code == 200


def test_who_does_not_authenticate_hears_nothing_of_proofs(site: Site) -> None:
    party = proving(site, dpop_bound_access_tokens=True)

    answer = site.http.post(
        "/token",
        data={"grant_type": "client_credentials"},
        auth=(party.app.client_id, "wrong"),
        headers={"dpop": "x"},
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_section_8_a_nonce_is_asked_for_and_told(start_site: Callable[..., Site]) -> None:
    site = start_site(dpop_nonce="required")
    party = proving(site)
    code = code_for(party, site)

    asked = party.redeem(code)
    party.dpop_nonce = asked.headers["dpop-nonce"]
    answer = party.redeem(code)

    assert refused(asked, "use_dpop_nonce")
    assert answer.status_code == 200
    assert answer.headers["dpop-nonce"] == party.dpop_nonce
    told = party.userinfo(answer.json()["access_token"])
    assert told.status_code == 200
    assert told.headers["dpop-nonce"] == party.dpop_nonce


def test_section_9_resources_ask_for_a_nonce_too(start_site: Callable[..., Site]) -> None:
    site = start_site(dpop_nonce="required")
    party = proving(site)
    code = code_for(party, site)
    party.dpop_nonce = party.redeem(code).headers["dpop-nonce"]
    token = party.redeem(code).json()["access_token"]

    for nonce in (None, "x", f"{party.dpop_nonce}x"):
        party.dpop_nonce = nonce
        answer = party.userinfo(token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("DPoP algs=")
        assert 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
        assert answer.headers["dpop-nonce"]


def test_section_8_a_nonce_is_good_for_some_minutes_whatever_the_client_s_clock(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(dpop_nonce="required")
    party = proving(site, "service", scopes=("read",))
    fields = {"grant_type": "client_credentials"}
    party.dpop_nonce = party.token(**fields).headers["dpop-nonce"]
    assert party.proofs is not None
    party.proofs = Proofs(site.issuer, lambda: site.clock.now.timestamp() - HOUR, party.proofs.key)

    site.clock.advance(300)
    later = party.token(**fields)
    site.clock.advance(300)
    too_late = party.token(**fields)

    assert later.status_code == 200
    assert later.headers["dpop-nonce"] != party.dpop_nonce
    assert refused(too_late, "use_dpop_nonce")


def test_section_8_a_proof_with_a_nonce_is_good_once_too(start_site: Callable[..., Site]) -> None:
    site = start_site(dpop_nonce="required")
    party = proving(site, "service", scopes=("read",))
    fields = {"grant_type": "client_credentials"}
    nonce = party.token(**fields).headers["dpop-nonce"]
    assert party.proofs is not None
    proof = party.proofs.make(nonce=nonce)
    auth = (party.app.client_id, party.app.client_secret or "")

    answers = []
    for _ in range(3):
        answers.append(site.http.post("/token", data=fields, auth=auth, headers={"dpop": proof}))
        site.clock.advance(150)

    assert answers[0].status_code == 200
    assert refused(answers[1])
    assert answers[2].json()["error"] in ("invalid_dpop_proof", "use_dpop_nonce")


def test_scripts_of_a_registered_origin_may_send_proofs_and_read_nonces(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(dpop_nonce="required")
    make_client(site, "spa")
    origin = ("origin", "https://app.example.net")

    preflight = ask(site, "OPTIONS", "/token", headers=(origin,))
    answer = ask(site, "GET", "/userinfo", headers=(origin,))

    assert "dpop" in (preflight.header("access-control-allow-headers") or "").split(", ")
    exposed = (answer.header("access-control-expose-headers") or "").split(", ")
    assert {"dpop-nonce", "www-authenticate"} <= set(exposed)
    assert answer.header("dpop-nonce")


def test_section_5_1_the_metadata_tell_the_algorithms(site: Site) -> None:
    found = site.http.get("/.well-known/oauth-authorization-server").json()

    assert found["dpop_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA", "Ed25519"]
