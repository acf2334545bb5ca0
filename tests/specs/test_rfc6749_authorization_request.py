"""RFC 6749 §3.1, §4.1.1, §4.1.2.1: what an authorization request may say, and how faults look."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.factories import REDIRECT_URI, make_client
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import FORM, ask, row_counts

DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")

FAULTS: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": ""}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "id_token token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": "code code"}, "unsupported_response_type"),
    ({"response_type": "none"}, "unsupported_response_type"),
    ({"response_type": "CODE"}, "unsupported_response_type"),
    ({"response_type": '"><script>\u00e9'}, "unsupported_response_type"),
    ({"response_mode": "telepathy"}, "invalid_request"),
    ({"response_mode": "web_message"}, "invalid_request"),
    ({"scope": "admin"}, "invalid_scope"),
    ({"scope": 'open"id'}, "invalid_scope"),
    ({"scope": "openid\tprofile"}, "invalid_scope"),
    ({"scope": "openid\nprofile"}, "invalid_scope"),
    ({"scope": "openid\\profile"}, "invalid_scope"),
    ({"scope": "\u00f6penid"}, "invalid_scope"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "dance"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"max_age": "1e9"}, "invalid_request"),
    ({"max_age": "1" + "0" * 30}, "invalid_request"),
    ({"max_age": "\u0661"}, "invalid_request"),
    ({"nonce": "n" * 1025}, "invalid_request"),
    ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object"),
    ({"request_uri": "https://app.example.net/request#hash"}, "invalid_request_uri"),
    ({"resource": "https://api.example.net/unknown"}, "invalid_target"),
    ({"resource": "no uri \"'\\\u00e9" * 100}, "invalid_target"),
]


@pytest.mark.parametrize(("changes", "error"), FAULTS)
def test_a_fault_is_told_to_the_client(
    site: Site, changes: dict[str, str | None], error: str
) -> None:
    party = RelyingParty(site, make_client(site))
    before = row_counts(site)

    answer = party.read(site.http.get(party.url(**changes)))

    assert answer.error == error
    assert set(answer.params) == {"error", "error_description", "state", "iss"}
    assert answer.params["state"] == party.state
    assert answer.params["iss"] == site.issuer
    assert DESCRIPTION.fullmatch(answer.params["error_description"])
    assert row_counts(site) == before


REPEATED = (
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "ui_locales",
    "id_token_hint",
    "acr_values",
    "display",
    "claims",
    "request",
    "request_uri",
    "unknown_extension",
)


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("where", ["query", "query and body", "body"])
def test_a_parameter_sent_twice_is_refused(site: Site, name: str, where: str) -> None:
    party = RelyingParty(site, make_client(site))
    once = party.url(**{name: None, "client_id": party.app.client_id})
    first, second = urlencode({name: "code"}), urlencode({name: "other"})
    before = row_counts(site)

    if where == "query":
        response = site.http.get(f"{once}&{first}&{second}")
    else:
        path, _, query = once.partition("?")
        body = query if where == "query and body" else f"{query}&{first}"
        target = f"{path}?{first}" if where == "query and body" else path
        headers = dict([FORM])
        response = site.http.post(target, content=f"{body}&{second}", headers=headers)

    answer = party.read(response)
    assert answer.error == "invalid_request"
    assert name in answer.params["error_description"]
    assert ("state" in answer.params) == (name != "state")
    assert row_counts(site) == before


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_client_or_address_sent_twice_is_a_page(site: Site, name: str) -> None:
    party = RelyingParty(site, make_client(site))
    again = urlencode({name: party.parameters()[name]})

    answer = site.http.get(f"{party.url()}&{again}")

    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "not set up correctly" in answer.text
    assert f"The parameter {name} was sent more than once." in answer.text


STATES = (
    "x" * 128,
    "a b+c%20d&error=x&code=y#z",
    "\"><script>alert(1)</script>'",
    "\u00fcn\u00efc\u00f6de \U0001f600",
    "line\r\nset-cookie: a=b",
    "x" * 8192,
)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("mode", ["query", "fragment", None])
def test_the_state_comes_back_as_it_was(site: Site, state: str, mode: str | None) -> None:
    party, browser, _, _ = signed_in(site)

    for changes in ({}, {"scope": "admin"}):
        response = browser.go(party.url(state=state, response_mode=mode, **changes))

        location = urlsplit(response.headers["location"])
        carried = location.fragment if mode == "fragment" else location.query
        empty = location.query if mode == "fragment" else location.fragment
        params = parse_qs(carried, strict_parsing=True)
        assert empty == ""
        assert params["state"] == [state]
        assert params["iss"] == [site.issuer]
        assert len(params["error" if changes else "code"]) == 1
        assert "a=b" not in response.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "response_type", ["token", "id_token", "id_token token", "code id_token", "code token"]
)
def test_who_asks_for_a_token_learns_where_it_looks_that_there_is_none(
    site: Site, response_type: str
) -> None:
    """Multiple Response Types §3, §5: errors too are in the fragment unless it chose otherwise."""
    party, browser, _, _ = signed_in(site)

    by_default = party.read(browser.go(party.url(response_type=response_type)))
    chosen = party.read(browser.go(party.url(response_type=response_type, response_mode="query")))

    assert "?" not in by_default.location
    assert "#error=unsupported_response_type&" in by_default.location
    assert by_default.params["state"] == party.state
    assert by_default.params["iss"] == site.issuer
    assert "#" not in chosen.location


def test_no_state_makes_no_state(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    answer = party.read(browser.go(party.url(state=None, nonce=None)))

    assert set(answer.params) == {"code", "iss"}


def test_a_state_beyond_all_measure_is_a_page(site: Site) -> None:
    party = RelyingParty(site, make_client(site))

    answer = site.http.get(party.url(state="x" * 8193))

    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_a_registered_query_is_kept(site: Site) -> None:
    uri = f"{REDIRECT_URI}?dummy1=lorem&dummy2=ipsum"
    party, browser, _, _ = signed_in(site, redirect_uris=(uri,))

    answer = party.read(browser.go(party.url()))

    assert answer.location.startswith(f"{uri}&code=")


def test_what_is_unknown_is_ignored(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    extra = {
        "extra": "foobar",
        "scope[]": "admin",
        "state[x]": "1",
        "redirect_uri[0]": "https://evil.example.org/",
        "claims": '{"userinfo":{"name":{"essential":true}}}',
        "ui_locales": "se ../../etc/passwd",
        "claims_locales": "se",
        "display": "popup",
        "login_hint": "buffy@id.example.com",
        "acr_values": "1 2",
    }

    answer = party.read(browser.go(party.url(**extra)))

    assert len(answer.code) >= 43


def test_what_the_client_may_not_have_is_left_out(site: Site) -> None:
    party, browser, person, _ = signed_in(site, scopes=("openid", "email"))

    answer = party.authorize(browser, person, scope="openid admin email email")
    tokens = party.redeem(answer.code).json()

    assert tokens["scope"] == "email openid"


@pytest.mark.parametrize("prompt", ["none", None])
def test_a_client_that_has_no_scope_by_default_does_not_learn_who_is_there(
    site: Site, prompt: str | None
) -> None:
    """There would be nothing to allow, so nobody would be asked."""
    _, browser, _, _ = signed_in(site)
    stranger = RelyingParty(site, make_client(site, scopes=("offline_access",)))

    answer = stranger.read(browser.go(stranger.url(scope=None, prompt=prompt)))

    assert answer.error == "invalid_scope"
    assert "code" not in answer.params


def test_a_thousand_scopes_are_looked_at_once(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    scope = " ".join(["openid", *(f"s{number}" for number in range(1000))])
    answer = party.read(browser.go(party.url(scope=scope)))

    assert party.redeem(answer.code).json()["scope"] == "openid"


def test_no_answer_is_stored_by_anybody(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    answers = [
        browser.go(party.url()),
        browser.go(party.url(scope="admin")),
        browser.go(party.url(redirect_uri="https://evil.example.org/")),
        browser.go(party.url(response_mode="form_post")),
    ]

    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_the_address_has_a_limit(site: Site) -> None:
    answer = ask(site, "GET", "/authorize?x=" + "y" * 70_000)

    assert answer.status == 414
    assert answer.header("content-type") == "text/html; charset=utf-8"
