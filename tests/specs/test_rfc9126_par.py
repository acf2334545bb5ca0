"""RFC 9126: requests that clients push, and what the browser then brings."""

from collections.abc import Callable
from datetime import timedelta
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from httpx2 import Response
from sqlalchemy import select

from oidc_server.domain import clients
from oidc_server.domain.authorization_requests import StoredAuthorizationRequest
from oidc_server.security import opaque_tokens
from tests.browser import Browser
from tests.client_registration.registrations import app_of, registered
from tests.factories import REDIRECT_URI, make_client, make_resource, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import FORM, ask, row_counts

PREFIX = "urn:ietf:params:oauth:request_uri:"
DUMMY = f"{REDIRECT_URI}?dummy1=lorem&dummy2=ipsum"


def push(party: RelyingParty, **changes: str | None) -> Response:
    return party.post("/par", **party.parameters(**changes))


def pushed(party: RelyingParty, **changes: str | None) -> str:
    """The address that the browser is sent to after a push."""
    answer = push(party, **changes)
    assert answer.status_code == 201, answer.text
    return opening(party, answer.json()["request_uri"])


def opening(party: RelyingParty, request_uri: str, **more: str) -> str:
    query = {"client_id": party.app.client_id, "request_uri": request_uri, **more}
    return f"/authorize?{urlencode(query)}"


def is_page(response: Response) -> bool:
    return response.status_code == 400 and "location" not in response.headers


def test_a_push_answers_with_a_request_uri_that_nobody_guesses(site: Site) -> None:
    """§2.2: 201, `request_uri` with at least 128 random bits, `expires_in`."""
    party = RelyingParty(site, make_client(site))

    answers = [push(party) for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 201
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json().keys() == {"request_uri", "expires_in"}
        assert answer.json()["expires_in"] == 60
        assert answer.json()["request_uri"].startswith(PREFIX)
        assert len(answer.json()["request_uri"].removeprefix(PREFIX)) == 43
    assert answers[0].json() != answers[1].json()


def test_the_request_uri_is_kept_as_a_digest(site: Site) -> None:
    party = RelyingParty(site, make_client(site))

    handle = push(party).json()["request_uri"].removeprefix(PREFIX)

    with site.db() as db:
        [row] = db.session.scalars(select(StoredAuthorizationRequest))
        assert row.request_uri_digest == opaque_tokens.digest(handle)
        assert handle not in str(row.parameters)


@pytest.mark.parametrize("client", [{}, {"client_type": "spa"}, {"client_type": "native"}])
def test_a_pushed_request_is_a_whole_sign_in(site: Site, client: dict[str, Any]) -> None:
    party = RelyingParty(site, make_client(site, **client))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)

    page = browser.log_in(browser.go(pushed(party)), person)
    answer = party.read(browser.allow(page))
    tokens = party.redeem(answer.code).json()

    assert answer.params["state"] == party.state
    assert answer.params["iss"] == site.issuer
    assert tokens["scope"] == "email openid profile"
    assert party.userinfo(tokens["access_token"]).json()["sub"] == person.id


def test_a_pushed_request_of_somebody_known_is_silent(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    answer = party.read(browser.go(pushed(party, state=None, nonce=None)))

    assert set(answer.params) == {"code", "iss"}


def test_what_stands_beside_the_request_uri_is_ignored(site: Site) -> None:
    """§4: the values that were pushed win, also where nothing was pushed."""
    party, browser, _, _ = signed_in(site)
    beside = {
        "state": "other",
        "nonce": "other",
        "scope": "openid offline_access",
        "redirect_uri": "https://evil.example.org/",
        "response_type": "token",
        "response_mode": "fragment",
        "prompt": "login",
        "code_challenge": "x" * 43,
    }
    uris = [push(party, **changes).json()["request_uri"] for changes in ({}, {"state": None})]

    first, second = (party.read(browser.go(opening(party, uri, **beside))) for uri in uris)

    assert first.params["state"] == party.state
    assert "state" not in second.params
    assert party.redeem(first.code).json()["scope"] == "email openid profile"
    assert urlsplit(first.location).fragment == ""


def test_the_login_page_can_be_opened_twice_and_answered_once(site: Site) -> None:
    """§4: it is consumed by its completion, not by a page."""
    party = RelyingParty(site, make_client(site))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    address = pushed(party)

    first, second = browser.go(address), browser.go(address)
    answer = party.read(browser.allow(browser.log_in(second, person)))
    after = browser.client.get(address)
    first_again = browser.log_in(first, person)

    assert 'id="sign-in"' in first.text
    assert 'id="sign-in"' in second.text
    assert party.redeem(answer.code).status_code == 200
    assert is_page(after)
    assert "invalid_request_uri" in after.text
    assert is_page(first_again)


def test_a_refused_request_is_completed_too(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    address = pushed(party, prompt="none", scope="openid offline_access")

    answer = party.read(browser.go(address))

    assert answer.error == "consent_required"
    assert is_page(browser.client.get(address))


def test_it_expires_unless_it_was_opened(site: Site) -> None:
    """§2.2, §4: after `expires_in` it cannot be opened; whoever opened it has the usual time."""
    party = RelyingParty(site, make_client(site))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    late, opened = pushed(party), pushed(party)
    page = browser.go(opened)
    site.clock.advance(60)

    answers = [browser.client.get(late), browser.client.get(opened)]
    site.clock.advance(13 * 60)
    done = party.read(browser.allow(browser.log_in(page, person)))

    assert all(is_page(answer) for answer in answers)
    assert all("invalid_request_uri" in answer.text for answer in answers)
    assert party.redeem(done.code).status_code == 200


def test_a_login_between_the_push_and_the_opening_is_not_fresh(site: Site) -> None:
    party, browser, person, _ = signed_in(site)
    site.clock.advance(100)
    address = pushed(party, prompt="login")
    site.clock.advance(10)
    browser.log_in(browser.go(RelyingParty(site, party.app).url(prompt="login")), person)
    site.clock.advance(10)

    page = browser.go(address)

    assert 'id="sign-in"' in page.text
    assert party.read(browser.log_in(page, person)).error is None


def test_it_belongs_to_the_client_that_pushed_it(site: Site) -> None:
    party, other = (RelyingParty(site, make_client(site)) for _ in range(2))
    uri = push(party).json()["request_uri"]

    stolen = site.http.get(opening(other, uri))

    assert is_page(stolen)
    assert site.http.get(opening(party, uri)).status_code == 303


def test_it_belongs_to_the_browser_that_opened_it(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    browser, other = (Browser(site.browser(), site.issuer) for _ in range(2))
    address = pushed(party)
    browser.go(address)

    assert is_page(other.client.get(address))


@pytest.mark.parametrize("handle", ["", "x", "\u00e9", "x" * 43, "x" * 5000, "%00"])
def test_an_unknown_request_uri_is_a_page(site: Site, handle: str) -> None:
    party = RelyingParty(site, make_client(site))
    before = row_counts(site)

    answer = site.http.get(opening(party, PREFIX + handle, redirect_uri=REDIRECT_URI))

    assert is_page(answer)
    assert row_counts(site) == before


def test_client_and_request_uri_are_named_once(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    address = pushed(party)
    uri = parse_qs(urlsplit(address).query)["request_uri"][0]

    answers = [
        site.http.get(f"{address}&{urlencode({'client_id': party.app.client_id})}"),
        site.http.get(f"{address}&{urlencode({'request_uri': uri})}"),
        site.http.get(f"/authorize?{urlencode({'request_uri': uri})}"),
    ]

    assert all(is_page(answer) for answer in answers)


def test_a_browser_may_bring_it_by_post(site: Site) -> None:
    """Core §3.1.2.1: a post of another site has no cookies, so a GET has to follow."""
    party, browser, _, _ = signed_in(site)
    uri = push(party).json()["request_uri"]
    stranger = site.browser()

    response = stranger.post(
        "/authorize", data={"client_id": party.app.client_id, "request_uri": uri}
    )
    answer = party.read(browser.go(response.headers["location"]))

    assert response.status_code == 303
    assert party.redeem(answer.code).status_code == 200


def test_a_client_that_was_disabled_meanwhile_gets_a_page(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    address = pushed(party)
    with site.db() as db:
        clients.change(db, party.app.client_id, disabled_at=site.clock.now)

    assert is_page(site.http.get(address))


FAULTS: list[tuple[dict[str, str | None], str]] = [
    ({"request_uri": PREFIX + "x"}, "invalid_request"),
    ({"request_uri": "https://app.example.net/request"}, "invalid_request"),
    ({"redirect_uri": None}, "invalid_request"),
    ({"redirect_uri": "https://evil.example.org/"}, "invalid_request"),
    ({"redirect_uri": REDIRECT_URI + "/evil"}, "invalid_request"),
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"scope": "admin"}, "invalid_scope"),
    ({"resource": "https://api.example.net/unknown"}, "invalid_target"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"claims": "{"}, "invalid_request"),
    ({"state": "x" * 8193}, "invalid_request"),
    ({"dpop_jkt": "x" * 42}, "invalid_request"),
    ({"dpop_jkt": "x" * 44}, "invalid_request"),
    ({"dpop_jkt": "x" * 42 + "="}, "invalid_request"),
]


@pytest.mark.parametrize(("changes", "error"), FAULTS)
def test_a_fault_is_told_in_json_and_leaves_nothing(
    site: Site, changes: dict[str, str | None], error: str
) -> None:
    """§2.3: the error of RFC 6749 §5.2; nobody is redirected."""
    party = RelyingParty(site, make_client(site))
    before = row_counts(site)

    answer = push(party, **changes)

    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"
    assert "location" not in answer.headers
    assert row_counts(site) == before


def test_a_parameter_is_pushed_once(site: Site) -> None:
    app = make_client(site, "spa")
    party = RelyingParty(site, app)
    body = urlencode([*party.parameters().items(), ("state", "other")]).encode()

    answer = ask(site, "POST", "/par", headers=(FORM,), body=body)

    assert answer.status == 400
    assert '"invalid_request"' in answer.text


def test_several_resources_can_be_pushed(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    first, second = (make_resource(site, f"https://{name}.example.net/") for name in "ab")

    answer = site.http.post(
        "/par",
        data={**party.parameters(), "resource": [first, second]},
        auth=(party.app.client_id, party.app.client_secret or ""),
    )
    page = browser.go(opening(party, answer.json()["request_uri"]))

    assert first in page.text
    assert second in page.text


@pytest.mark.parametrize("secret", [None, "", "wrong"])
def test_a_confidential_client_proves_itself(site: Site, secret: str | None) -> None:
    """§2: client authentication as at the token endpoint."""
    party = RelyingParty(site, make_client(site))
    before = row_counts(site)

    if secret is None:
        answer = site.http.post("/par", data=party.parameters())
    else:
        answer = site.http.post("/par", data=party.parameters(), auth=(party.app.client_id, secret))

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert row_counts(site) == before


def test_nobody_pushes_in_the_name_of_another(site: Site) -> None:
    party, other = (RelyingParty(site, make_client(site)) for _ in range(2))

    answer = push(party, client_id=other.app.client_id)

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_post_pushes(site: Site, method: str) -> None:
    assert ask(site, method, "/par").status == 405


def test_parameters_of_the_query_are_not_pushed(site: Site) -> None:
    party = RelyingParty(site, make_client(site, "spa"))

    answer = site.http.post(f"/par?{urlencode(party.parameters())}", data={"x": "y"})

    assert answer.status_code == 401


@pytest.mark.parametrize("client", ["a public one", "one that registered itself"])
def test_what_a_stranger_can_store_in_the_name_of_a_client_is_bounded(
    start_site: Callable[..., Site], client: str
) -> None:
    site = start_site(rate_limits=True, registration="open")
    app = make_client(site, "spa") if client == "a public one" else app_of(registered(site))
    party = RelyingParty(site, app)

    statuses = (push(party).status_code for _ in range(2000))  # its window slides meanwhile
    stored = sum(1 for _ in takewhile(lambda status: status == 201, statuses))

    assert 1000 <= stored < 2000
    assert push(party).status_code == 429


def test_a_client_that_must_push_is_refused_without(site: Site) -> None:
    """§6: `require_pushed_authorization_requests` of the client."""
    party = RelyingParty(site, make_client(site, require_pushed_authorization_requests=True))

    refused = party.read(site.http.get(party.url()))
    posted = party.read(site.http.post("/authorize", data=party.parameters()))
    untrusted = site.http.get(party.url(redirect_uri="https://evil.example.org/"))

    assert refused.error == posted.error == "invalid_request"
    assert refused.params["state"] == party.state
    assert is_page(untrusted)
    assert site.http.get(pushed(party)).status_code == 303


def test_the_operator_can_require_it_of_everybody(start_site: Callable[..., Site]) -> None:
    """§5: `require_pushed_authorization_requests` of the server."""
    site = start_site(require_par=True, pushed_request_lifetime=timedelta(seconds=90))
    party = RelyingParty(site, make_client(site))

    refused = party.read(site.http.get(party.url()))
    answer = push(party).json()

    metadata = site.http.get("/.well-known/openid-configuration").json()
    assert metadata["require_pushed_authorization_requests"] is True
    assert metadata["pushed_authorization_request_endpoint"] == f"{site.issuer}/par"
    assert refused.error == "invalid_request"
    assert answer["expires_in"] == 90
    assert site.http.get(opening(party, answer["request_uri"])).status_code == 303


def test_the_metadata_says_that_it_is_not_required(site: Site) -> None:
    metadata = site.http.get("/.well-known/openid-configuration").json()

    assert metadata["require_pushed_authorization_requests"] is False


@pytest.mark.parametrize("length", [64, 384, 1024])
def test_a_long_nonce_is_told_back_intact(site: Site, length: int) -> None:
    party, browser, _, _ = signed_in(site, redirect_uris=(DUMMY,))
    nonce, state = "n" * length, "s" * 1000

    answer = party.read(browser.go(pushed(party, nonce=nonce, state=state)))
    token = party.redeem(answer.code).json()["id_token"]

    assert jwt.decode(token, options={"verify_signature": False})["nonce"] == nonce
    assert answer.params["state"] == state
    assert answer.location.startswith(f"{DUMMY}&code=")
