"""RFC 9101, Core §6: parameters in a JWT that the client signed, by value and by reference."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from httpx2 import Response

from oidc_server.outbound.documents import RETRY_AFTER
from oidc_server.security.jose import SigningKey
from tests.browser import Browser
from tests.client_assertions import KEYS, assertion_fields, claims_for, key_set
from tests.factories import make_client, make_resource, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.services.external_service import ExternalService, external_service, saying
from tests.site import Site
from tests.wire import row_counts

KEY, STRANGER = KEYS["ES256"], SigningKey.generate("ES256")
EVIL = "https://evil.example.org/"
LOCAL = "http://localhost:8000"


def party_of(site: Site, **client: Any) -> RelyingParty:
    return RelyingParty(site, make_client(site, jwks=key_set(*KEYS.values()), **client))


def contents(party: RelyingParty, site: Site, **changes: Any) -> dict[str, Any]:
    """A good request object; a change to None leaves a member out."""
    members: dict[str, Any] = {
        **party.parameters(),
        "iss": party.app.client_id,
        "aud": site.issuer,
        "exp": int(site.clock.now.timestamp()) + 300,
        "nbf": int(site.clock.now.timestamp()),
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def signed(
    party: RelyingParty, site: Site, key: SigningKey = KEY, typ: str | None = "JWT", **changes: Any
) -> str:
    return key.sign(contents(party, site, **changes), typ)


def opening(party: RelyingParty, token: str, **outside: str | None) -> str:
    """The address with nothing but the client and the object, and what is added."""
    nothing = dict.fromkeys(party.parameters())
    kept = {"client_id": party.app.client_id, "request": token, **outside}
    return party.url(**{**nothing, **kept})


def refused(party: RelyingParty, site: Site, token: str) -> str | None:
    """The error of an object, told to the good redirect URI that stands outside."""
    outside = {"redirect_uri": party.app.redirect_uri, "state": "outside"}
    before = row_counts(site)
    answer = party.read(site.http.get(opening(party, token, **outside)))
    assert answer.params["state"] == "outside"
    assert row_counts(site) == before
    assert site.http.post("/par", data={"x": "y"}).status_code == 401
    return answer.error


def is_page(response: Response) -> bool:
    return response.status_code == 400 and "location" not in response.headers


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize("typ", ["JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"])
def test_a_signed_object_is_a_whole_request(site: Site, alg: str, typ: str) -> None:
    party = party_of(site)
    browser, person = Browser(site.browser(), site.issuer), make_user(site)

    page = browser.log_in(
        browser.go(opening(party, signed(party, site, KEYS[alg], typ=typ))), person
    )
    answer = party.read(browser.allow(page))
    tokens = party.redeem(answer.code).json()

    assert answer.params["state"] == party.state
    assert tokens["scope"] == "email openid profile"
    token = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert token["nonce"] == party.nonce


def signed_in_party(site: Site, **client: Any) -> tuple[RelyingParty, Browser]:
    party, browser, _, _ = signed_in(site, jwks=key_set(*KEYS.values()), **client)
    return party, browser


def test_section_6_3_only_what_stands_inside_counts(site: Site) -> None:
    party, browser = signed_in_party(site)
    token = signed(party, site, state=None, nonce=None, scope="openid")
    outside = {
        "state": "outside",
        "nonce": "outside",
        "scope": "openid email offline_access",
        "response_mode": "fragment",
        "response_type": "code",
        "prompt": "login",
        "redirect_uri": EVIL,
    }

    answer = party.read(browser.go(opening(party, token, **outside)))
    tokens = party.redeem(answer.code).json()

    assert set(answer.params) == {"code", "iss"}
    assert tokens["scope"] == "openid"
    assert "nonce" not in jwt.decode(tokens["id_token"], options={"verify_signature": False})


@pytest.mark.parametrize("missing", ["redirect_uri", "response_type", "code_challenge"])
def test_what_stands_outside_does_not_fill_a_gap(site: Site, missing: str) -> None:
    party = party_of(site)
    changes: dict[str, Any] = {missing: None} | (
        {"code_challenge_method": None} if missing == "code_challenge" else {}
    )
    outside = {missing: party.parameters()[missing]}

    response = site.http.get(opening(party, signed(party, site, **changes), **outside))

    if missing == "redirect_uri":
        assert is_page(response)
    else:
        assert party.read(response).error == "invalid_request"


def test_a_faulty_object_is_told_to_nobody_but_a_registered_address(site: Site) -> None:
    party = party_of(site)
    broken = signed(party, site, STRANGER)

    answers = [
        site.http.get(opening(party, broken)),
        site.http.get(opening(party, broken, redirect_uri=EVIL)),
        site.http.get(opening(party, signed(party, site, redirect_uri=EVIL))),
        site.http.get(
            opening(
                party, signed(party, site, redirect_uri=EVIL), redirect_uri=party.app.redirect_uri
            )
        ),
    ]

    assert all(is_page(answer) for answer in answers)
    assert "invalid_request_object" in answers[0].text


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"aud": "https://other.example.com"},
        {"scope": ["openid"]},
        {"request_uri": "https://other.example.com/object"},
    ],
    ids=str,
)
def test_what_is_wrong_with_a_signed_object_is_told_to_the_client_that_signed_it(
    site: Site, changes: dict[str, Any]
) -> None:
    """Else a person who opens an old link is stranded, and the client never hears of it."""
    party = party_of(site)
    outside = {"redirect_uri": party.app.redirect_uri, "state": "outside"}
    forged = signed(party, site, STRANGER, **changes)
    elsewhere = signed(party, site, **changes, redirect_uri=EVIL)

    answers = [
        party.read(site.http.get(opening(party, signed(party, site, **changes), **around)))
        for around in ({}, {"redirect_uri": EVIL, "state": "outside"}, outside)
    ]
    pages = [site.http.get(opening(party, token)) for token in (forged, elsewhere)]

    assert [answer.error for answer in answers] == ["invalid_request_object"] * 3
    states = [answer.params["state"] for answer in answers]
    assert states == [party.state, party.state, "outside"]
    assert all(is_page(page) for page in pages)


def test_an_error_of_what_stands_inside_goes_where_the_object_says(site: Site) -> None:
    party = party_of(site)
    token = signed(party, site, scope="admin", response_mode="fragment")

    answer = party.read(site.http.get(opening(party, token, redirect_uri=EVIL, state="outside")))

    assert answer.error == "invalid_scope"
    assert answer.params["state"] == party.state
    assert "#error=" in answer.location


def test_the_client_has_to_be_named_outside_and_be_the_same_inside(site: Site) -> None:
    party, other = party_of(site), party_of(site)
    token = signed(party, site)

    nameless = site.http.get(f"/authorize?request={token}")
    swapped = site.http.get(opening(other, token))

    assert is_page(nameless)
    assert is_page(swapped)


def test_another_response_type_outside_is_refused(site: Site) -> None:
    party = party_of(site)
    outside = {"response_type": "token", "redirect_uri": party.app.redirect_uri}

    answer = party.read(site.http.get(opening(party, signed(party, site), **outside)))

    assert answer.error == "invalid_request"


def unsecured(party: RelyingParty, site: Site) -> str:
    return jwt.encode(contents(party, site), "", algorithm="none")


def by_secret(party: RelyingParty, site: Site) -> str:
    return jwt.encode(contents(party, site), party.app.client_secret or "", algorithm="HS256")


def with_header(party: RelyingParty, site: Site, key: SigningKey = KEY, **header: Any) -> str:
    """Signed as it should be, with members of the header of one's own."""
    claims = contents(party, site)
    return jwt.encode(claims, key._private_key, algorithm="ES256", headers=header)


def with_two_algorithms(party: RelyingParty, site: Site) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":["ES256"]}').rstrip(b"=").decode()
    return ".".join([head, *signed(party, site).split(".")[1:]])


FORGERIES: dict[str, Callable[[RelyingParty, Site], str]] = {
    "unsecured": unsecured,
    "by the client secret": by_secret,
    "by another key": lambda party, site: signed(party, site, STRANGER),
    "two segments": lambda party, site: signed(party, site).rpartition(".")[0],
    "no signature": lambda party, site: signed(party, site).rpartition(".")[0] + ".",
    "a changed signature": lambda party, site: signed(party, site)[:-8] + "AAAAAAAA",
    "crit": lambda party, site: with_header(party, site, crit=["x"], x=1),
    "jwk": lambda party, site: with_header(party, site, STRANGER, jwk=STRANGER.public_jwk()),
    "jku": lambda party, site: with_header(party, site, jku="https://evil.example.org/keys"),
    "x5u": lambda party, site: with_header(party, site, x5u="https://evil.example.org/key"),
    "an alg that is a list": with_two_algorithms,
    "the typ of an access token": lambda party, site: signed(party, site, typ="at+jwt"),
    "the typ of a proof": lambda party, site: signed(party, site, typ="dpop+jwt"),
    "no JWT": lambda _party, _site: "x",
    "nothing but dots": lambda _party, _site: "..",
    "no ASCII": lambda _party, _site: "\u00e9.\u00e9.\u00e9",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_no_key_of_the_client_signed_is_refused(site: Site, forgery: str) -> None:
    party = party_of(site)

    error = refused(party, site, FORGERIES[forgery](party, site))

    assert error == "invalid_request_object"


def test_the_registered_algorithm_is_the_only_one(site: Site) -> None:
    party = party_of(site, request_object_signing_alg="PS256")

    errors = {alg: refused(party, site, signed(party, site, key)) for alg, key in KEYS.items()
              if alg != "PS256"}  # fmt: skip
    good = site.http.get(opening(party, signed(party, site, KEYS["PS256"])))

    assert set(errors.values()) == {"invalid_request_object"}
    assert good.headers["location"].startswith("/login")


def test_a_client_without_keys_signs_nothing(site: Site) -> None:
    party = RelyingParty(site, make_client(site))

    assert refused(party, site, signed(party, site)) == "invalid_request_object"


NOW = 1767603600  # the beginning of time for tests

MEMBERS: list[dict[str, Any]] = [
    {"iss": "other"},
    {"iss": None, "client_id": None},
    {"client_id": "other"},
    {"client_id": 7},
    {"client_id": ["a", "b"]},
    {"aud": "https://other.example.org"},
    {"aud": []},
    {"aud": {"a": 1}},
    {"aud": 7},
    {"exp": NOW},
    {"exp": NOW - 1000},
    {"exp": "soon"},
    {"exp": True},
    {"exp": [NOW + 100]},
    {"nbf": NOW + 61},
    {"nbf": "now"},
    {"iat": NOW + 61},
    {"request": "x.y.z"},
    {"request_uri": "https://app.example.net/request"},
    {"scope": ["openid"]},
    {"scope": 7},
    {"state": {"a": 1}},
    {"state": False},
    {"nonce": 1.5},
    {"redirect_uri": ["https://app.example.net/callback"]},
    {"response_type": ["code"]},
    {"response_mode": {}},
    {"prompt": ["none"]},
    {"max_age": "x"},
    {"max_age": "100"},
    {"max_age": True},
    {"max_age": 1.5},
    {"max_age": [1]},
    {"claims": '{"userinfo":{}}'},
    {"claims": []},
    {"claims": 7},
    {"resource": 7},
    {"resource": [["a"]]},
    {"code_challenge": 7},
    {"acr_values": ["a"]},
    {"dpop_jkt": 7},
    {"state": "a\0b"},
]


@pytest.mark.parametrize("changes", MEMBERS)
def test_members_that_do_not_fit_are_refused(site: Site, changes: dict[str, Any]) -> None:
    party = party_of(site)

    assert refused(party, site, signed(party, site, **changes)) == "invalid_request_object"


def test_a_client_assertion_is_no_request_object(site: Site) -> None:
    """RFC 9101 §10.8: one JWT cannot be both."""
    party = party_of(site)

    error = refused(party, site, signed(party, site, sub=party.app.client_id))

    assert error == "invalid_request_object"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": None, "exp": None, "nbf": None},
        {"aud": ["https://other.example.org", "https://id.example.com"]},
        {"client_id": None},
        {"iss": None},
        {"nbf": NOW + 8},
        {"iat": NOW, "jti": "x", "sub": "somebody"},
        {"unknown": ["a"], "scope[]": {"a": 1}},
        {"max_age": 1000, "claims": {"userinfo": {"name": {"essential": True}}}},
    ],
)
def test_what_may_be_there_or_not(site: Site, changes: dict[str, Any]) -> None:
    party, browser = signed_in_party(site)

    assert party.read(browser.go(opening(party, signed(party, site, **changes)))).error is None


def test_an_object_may_be_sent_again(site: Site) -> None:
    """Nothing demands that a `jti` is used once: what it asks for is asked again."""
    party, browser = signed_in_party(site)
    address = opening(party, signed(party, site, jti="x"))

    answers = [party.read(browser.go(address)) for _ in range(2)]

    assert answers[0].code != answers[1].code


def test_several_resources_inside_are_a_list(site: Site) -> None:
    party, browser = signed_in_party(site)
    names = [make_resource(site, f"https://{name}.example.net/") for name in "ab"]

    page = browser.go(opening(party, signed(party, site, resource=names)))

    assert all(name in page.text for name in names)


def test_a_numeric_max_age_is_heeded(site: Site) -> None:
    party, browser = signed_in_party(site)
    site.clock.advance(200)

    page = browser.go(opening(party, signed(party, site, max_age=100)))

    assert 'id="sign-in"' in page.text
    assert party.read(site.http.get(opening(party, signed(party, site, max_age=-1)))).error


def test_a_browser_may_bring_it_by_post(site: Site) -> None:
    party, browser = signed_in_party(site)
    form = {"client_id": party.app.client_id, "request": signed(party, site)}

    response = browser.client.post("/authorize", data=form)
    answer = party.read(browser.go(response.headers["location"]))

    assert answer.params["state"] == party.state


def test_a_client_that_must_sign_is_refused_without(site: Site) -> None:
    """§10.5: `require_signed_request_object`."""
    party = party_of(site, require_signed_request_object=True)

    plain = party.read(site.http.get(party.url()))
    pushed = party.post("/par", **party.parameters())
    good = site.http.get(opening(party, signed(party, site)))

    assert plain.error == "invalid_request"
    assert pushed.status_code == 400
    assert pushed.json()["error"] == "invalid_request"
    assert good.headers["location"].startswith("/login")


def test_both_ways_at_once_are_refused(site: Site) -> None:
    party = party_of(site)
    outside = {"request_uri": "https://a.example.net/", "redirect_uri": party.app.redirect_uri}

    answer = party.read(site.http.get(opening(party, signed(party, site), **outside)))

    assert answer.error == "invalid_request"


# · pushed (RFC 9126 §3)


def test_an_object_can_be_pushed(site: Site) -> None:
    party, browser = signed_in_party(site)

    pushed = party.post("/par", request=signed(party, site), state="outside", scope="admin")
    uri = pushed.json()["request_uri"]
    answer = party.read(
        browser.go(f"/authorize?client_id={party.app.client_id}&request_uri={uri}&state=x")
    )

    assert pushed.status_code == 201
    assert answer.params["state"] == party.state
    assert party.redeem(answer.code).json()["scope"] == "email openid profile"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "other"}, "invalid_request_object"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request_object"),
        ({"exp": NOW}, "invalid_request_object"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": EVIL}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
    ],
)
def test_a_faulty_object_is_not_taken_in(site: Site, changes: dict[str, Any], error: str) -> None:
    party = party_of(site)
    before = row_counts(site)

    answer = party.post("/par", request=signed(party, site, **changes))

    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert row_counts(site) == before


def test_an_object_beyond_all_measure_is_not_read(site: Site) -> None:
    party = party_of(site)

    answer = party.post("/par", request=signed(party, site, padding="x" * 16_000))

    assert answer.json()["error"] == "invalid_request_object"


# · FAPI 2.0


def fapi_party(site: Site, **client: Any) -> RelyingParty:
    return party_of(site, profile="fapi2", **client)


def fapi_push(party: RelyingParty, site: Site, **fields: str) -> Response:
    assertion = KEY.sign(claims_for(party.app.client_id, site.issuer, site.clock.now), "JWT")
    return site.http.post("/par", data=assertion_fields(assertion, **fields))


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"exp": NOW + 3600}, True),
        ({"aud": ["https://id.example.com", "x"]}, True),
        ({"nbf": NOW + 8}, True),
        ({"aud": None}, False),
        ({"exp": None}, False),
        ({"nbf": None}, False),
        ({"exp": NOW + 3601}, False),
        ({"nbf": NOW - 3601, "exp": NOW - 1}, False),
        ({"nbf": NOW - 3601, "exp": NOW + 1}, False),
    ],
)
def test_a_fapi_client_signs_for_us_and_for_an_hour_at_most(
    site: Site, changes: dict[str, Any], good: bool
) -> None:
    party = fapi_party(site)

    answer = fapi_push(party, site, request=signed(party, site, **changes))

    assert answer.status_code == (201 if good else 400), answer.text
    assert good or answer.json()["error"] == "invalid_request_object"


def test_a_fapi_client_does_not_sign_with_rs256(site: Site) -> None:
    party = fapi_party(site)

    answers = {
        alg: fapi_push(party, site, request=signed(party, site, key)).status_code
        for alg, key in KEYS.items()
    }

    assert answers == {"RS256": 400, "PS256": 201, "ES256": 201, "EdDSA": 201}


def test_a_fapi_client_only_pushes(site: Site) -> None:
    uri = "https://app.example.net/request"
    party = fapi_party(site, request_uris=(uri,))
    outside = {"redirect_uri": party.app.redirect_uri, "state": "s"}

    answers = [
        party.read(site.http.get(party.url())),
        party.read(site.http.get(opening(party, signed(party, site), **outside))),
        party.read(site.http.get(referring(party, uri))),
    ]

    assert {answer.error for answer in answers} == {"invalid_request"}


# · by reference (§5.2, Core §6.2)


@pytest.fixture
def here(start_site: Callable[..., Site]) -> Site:
    """A server on loopback, which may ask others there."""
    return start_site(issuer=LOCAL)


@pytest.fixture
def other() -> Iterator[ExternalService]:
    with external_service(saying(b"not yet")) as running:
        yield running


def publish(other: ExternalService, token: str, **answer: Any) -> None:
    other.behaviour = saying(token.encode(), content_type="application/jwt", **answer)


def referring(party: RelyingParty, uri: str, **outside: str | None) -> str:
    nothing = dict.fromkeys(party.parameters())
    kept = {
        "client_id": party.app.client_id,
        "request_uri": uri,
        "redirect_uri": party.app.redirect_uri,
        **outside,
    }
    return party.url(**{**nothing, **kept})


def test_an_object_behind_a_registered_address_is_a_whole_request(
    here: Site, other: ExternalService
) -> None:
    party, browser = signed_in_party(here, request_uris=(other.url("/request"),))
    publish(other, signed(party, here, KEYS["RS256"]))

    answer = party.read(browser.go(referring(party, other.url("/request"), response_type="code")))

    assert answer.params["state"] == party.state
    assert party.redeem(answer.code).status_code == 200
    assert [path for _, path, _, _ in other.asked] == ["/request"]


def test_a_fragment_is_part_of_the_registered_address_and_proves_nothing(
    here: Site, other: ExternalService
) -> None:
    uri = other.url("/request#digest-of-something-else")
    party, browser = signed_in_party(here, request_uris=(uri,))
    publish(other, signed(party, here))

    good = party.read(browser.go(referring(party, uri)))
    bare = party.read(browser.go(referring(party, uri.partition("#")[0])))

    assert good.params["state"] == party.state
    assert bare.error == "invalid_request_uri"
    assert [path for _, path, _, _ in other.asked] == ["/request"]


def test_it_is_fetched_again_after_a_while(here: Site, other: ExternalService) -> None:
    party, browser = signed_in_party(here, request_uris=(other.url(),))
    publish(other, signed(party, here, state="first"))

    first = party.read(browser.go(referring(party, other.url())))
    publish(other, signed(party, here, state="second"))
    here.clock.advance(RETRY_AFTER)
    second = party.read(browser.go(referring(party, other.url())))

    assert [first.params["state"], second.params["state"]] == ["first", "second"]


@pytest.mark.parametrize("change", ["{}x", "{}#x", "{}?a=b", "{}/../request", "HTTP{}"])
def test_an_address_that_is_not_registered_is_never_asked(
    here: Site, other: ExternalService, change: str
) -> None:
    uri = other.url("/request")
    party = party_of(here, request_uris=(uri,))
    asked = change.format(uri.removeprefix("http") if change.startswith("HTTP") else uri)
    form = {
        "client_id": party.app.client_id,
        "request_uri": asked,
        "redirect_uri": party.app.redirect_uri,
    }

    answers = [
        party.read(here.http.get(referring(party, asked))),
        party.read(here.http.post("/authorize", data=form)),
    ]
    page = here.http.get(referring(party, asked, redirect_uri=EVIL))

    assert {answer.error for answer in answers} == {"invalid_request_uri"}
    assert is_page(page)
    assert other.asked == []


def test_nothing_is_asked_for_a_client_that_registered_nothing(
    here: Site, other: ExternalService
) -> None:
    party = party_of(here)

    answer = party.read(here.http.get(referring(party, other.url())))

    assert answer.error == "invalid_request_uri"
    assert other.asked == []


def test_what_is_fetched_has_to_be_good(here: Site, other: ExternalService) -> None:
    party = party_of(here, request_uris=(other.url(),))
    address = referring(party, other.url())
    answers: list[str | None] = []
    for token, answer in (
        (signed(party, here), {"status": 404}),
        (signed(party, here), {"status": 302, "location": EVIL}),
        (signed(party, here), {"status": 500}),
        ("\u00e9", {}),
        ("x" * 20_000, {}),
        ("x" * 70_000, {}),
        ("x", {}),
        (signed(party, here, STRANGER), {}),
        (unsecured(party, here), {}),
    ):
        publish(other, token, **answer)
        here.clock.advance(RETRY_AFTER)
        answers.append(party.read(here.http.get(address)).error)

    assert answers == ["invalid_request_uri"] * 6 + ["invalid_request_object"] * 3


@pytest.mark.parametrize(
    "uri", ["https://127.0.0.1:1/x", "https://169.254.169.254/x", "https://[::1]:5432/x"]
)
def test_a_registered_address_inside_our_walls_is_not_asked(site: Site, uri: str) -> None:
    party = party_of(site, request_uris=(uri,))

    answer = party.read(site.http.get(referring(party, uri)))

    assert answer.error == "invalid_request_uri"


def test_the_metadata_tells_all_of_it(site: Site) -> None:
    found = site.http.get("/.well-known/openid-configuration").json()

    assert found["request_parameter_supported"] is True
    assert found["request_uri_parameter_supported"] is True
    assert found["require_request_uri_registration"] is True
    assert set(found["request_object_signing_alg_values_supported"]) == set(KEYS)
