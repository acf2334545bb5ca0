"""RFC 7636: S256 only, and a code is worth one try."""

import pytest

from oidc_server.domain.client_metadata import ClientType
from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

BAD_REQUESTS: list[dict[str, str | None]] = [
    {"code_challenge": None, "code_challenge_method": None},
    {"code_challenge": None},
    {"code_challenge": ""},
    {"code_challenge_method": None},
    {"code_challenge_method": "plain"},
    {"code_challenge_method": "s256"},
    {"code_challenge": "x" * 42},
    {"code_challenge": "x" * 44},
    {"code_challenge": "x" * 42 + "="},
    {"code_challenge": "x" * 42 + "+"},
    {"code_challenge": "x" * 42 + "\u00e9"},
    {"code_challenge": "x" * 43 + "\n"},
]


@pytest.mark.parametrize("changes", BAD_REQUESTS)
@pytest.mark.parametrize("client_type", ["web", "spa"])
def test_section_4_4_1_a_bad_challenge_is_refused(
    site: Site, client_type: ClientType, changes: dict[str, str | None]
) -> None:
    party = RelyingParty(site, make_client(site, client_type))

    answer = party.read(site.http.get(party.url(**changes)))

    assert answer.error == "invalid_request"


BAD_VERIFIERS = (
    "",
    "x" * 43,
    "x" * 42,
    "x" * 129,
    "\u00e9" * 43,
    "the challenge",
    "verifier with a newline",
)


@pytest.mark.parametrize("verifier", BAD_VERIFIERS)
def test_section_4_6_a_bad_verifier_is_invalid_grant_and_burns_the_code(
    site: Site, verifier: str
) -> None:
    party, browser, _, _ = signed_in(site)
    code = party.read(browser.go(party.url())).code
    sent = {
        "the challenge": party.challenge,
        "verifier with a newline": f"{party.verifier}\n",
    }.get(verifier, verifier)

    wrong = party.redeem(code, code_verifier=sent)
    right = party.redeem(code)

    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert (right.status_code, right.json()["error"]) == (400, "invalid_grant")


def test_a_wrong_redirect_uri_burns_the_code(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    for sent in ("https://app.example.net/other", ""):
        code = party.read(browser.go(party.url())).code
        wrong = party.redeem(code, redirect_uri=sent)
        right = party.redeem(code)

        assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
        assert (right.status_code, right.json()["error"]) == (400, "invalid_grant")


def test_a_missing_redirect_uri_is_told_apart_from_a_wrong_one(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    told = [
        party.redeem(party.read(browser.go(party.url())).code, redirect_uri=sent).json()
        for sent in ("", "https://app.example.net/other")
    ]

    assert [answer["error"] for answer in told] == ["invalid_grant"] * 2
    missing, wrong = (answer["error_description"] for answer in told)
    assert missing == "The parameter redirect_uri is missing."
    assert wrong != missing


def test_a_code_of_another_session_of_the_client_cannot_be_injected(site: Site) -> None:
    victim, browser, _, _ = signed_in(site)
    attacker = RelyingParty(site, victim.app)
    stolen = victim.read(browser.go(victim.url())).code

    answer = attacker.redeem(stolen)

    assert answer.json()["error"] == "invalid_grant"


def test_a_relaxed_client_may_go_without_but_not_be_downgraded(site: Site) -> None:
    party, browser, _, _ = signed_in(site, require_pkce=False)
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}

    plain = party.redeem(party.read(browser.go(party.url(**without))).code, code_verifier="")
    downgraded = party.redeem(party.read(browser.go(party.url(**without))).code)
    missing = party.redeem(party.read(browser.go(party.url())).code, code_verifier="")

    assert plain.status_code == 200
    assert downgraded.json()["error"] == missing.json()["error"] == "invalid_grant"
    assert "there was no code_challenge" in downgraded.json()["error_description"]
    assert missing.json()["error_description"] == "The parameter code_verifier is missing."


def test_appendix_b_the_example_of_the_specification_works(site: Site) -> None:
    party = RelyingParty(site, make_client(site, "spa"))
    browser = Browser(site.browser(), site.issuer)
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    answer = party.authorize(browser, make_user(site), code_challenge=challenge)
    response = party.redeem(
        answer.code, code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )

    assert response.status_code == 200
