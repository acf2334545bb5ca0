"""RFC 6749 §3.1.2, §4.1.2.1: nobody is sent to an address that a client did not register."""

import pytest

from oidc_server.domain.client_metadata import ClientType
from tests.factories import make_client
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import row_counts

HTTPS = "https://app.example.net/callback"
LOOPBACK = "http://127.0.0.1/callback"

NOT_REGISTERED: list[tuple[ClientType, str, str]] = [
    ("web", HTTPS, "https://evil.example.org/callback"),
    ("web", HTTPS, f"{HTTPS}/"),
    ("web", HTTPS, f"{HTTPS}/evil"),
    ("web", HTTPS, f"{HTTPS}x"),
    ("web", HTTPS, f"{HTTPS}?x=1"),
    ("web", HTTPS, f"{HTTPS}?"),
    ("web", HTTPS, f"{HTTPS}#fragment"),
    ("web", HTTPS, f"{HTTPS}#"),
    ("web", f"{HTTPS}?a=1&b=2", HTTPS),
    ("web", f"{HTTPS}?a=1&b=2", f"{HTTPS}?b=2&a=1"),
    ("web", f"{HTTPS}?a=1&b=2", f"{HTTPS}?a=1&b=3"),
    ("web", HTTPS, "https://app.example.net/callback/../evil"),
    ("web", HTTPS, "https://app.example.net/x/../callback"),
    ("web", HTTPS, "https://app.example.net/callback/..;/evil"),
    ("web", HTTPS, "https://app.example.net/%63allback"),
    ("web", HTTPS, "https://app.example.net/callback/%2e%2e/evil"),
    ("web", HTTPS, "https://app.example.net%2Fcallback"),
    ("web", HTTPS, "https://app.example.net@evil.example.org/callback"),
    ("web", HTTPS, "https://evil.example.org\\@app.example.net/callback"),
    ("web", HTTPS, "https://a@b@app.example.net/callback"),
    ("web", HTTPS, "HTTPS://app.example.net/callback"),
    ("web", HTTPS, "https://APP.example.net/callback"),
    ("web", HTTPS, "https://app.example.net/CALLBACK"),
    ("web", HTTPS, "https://app.example.net./callback"),
    ("web", HTTPS, "https://app.example.net:443/callback"),
    ("web", HTTPS, "https://app.example.net:8443/callback"),
    ("web", HTTPS, "http://app.example.net/callback"),
    ("web", HTTPS, "https://appXexample.net/callback"),
    ("web", HTTPS, "//app.example.net/callback"),
    ("web", HTTPS, "/callback"),
    ("web", HTTPS, " https://app.example.net/callback"),
    ("web", HTTPS, "https://app.example.net/callback\r\nx-injected: 1"),
    ("web", HTTPS, "javascript:alert(1)"),
    ("web", HTTPS, "JaVaScRiPt:alert(1)//https://app.example.net/callback"),
    ("web", HTTPS, "data:text/html,<script>alert(1)</script>"),
    ("web", HTTPS, "https://ápp.example.net/callback"),
    ("web", LOOPBACK, "http://127.0.0.1:51004/callback"),
    ("spa", LOOPBACK, "http://127.0.0.1:51004/callback"),
    ("native", LOOPBACK, "http://localhost:51004/callback"),
    ("native", LOOPBACK, "http://127.0.0.1:51004/evil"),
    ("native", LOOPBACK, "http://127.0.0.1:51004@evil.example.org/callback"),
    ("native", LOOPBACK, "http://127.0.0.1:99999/callback"),
    ("native", LOOPBACK, "http://127.0.0.1:/callback"),
    ("native", LOOPBACK, "http://127.0.0.1:x/callback"),
    ("native", LOOPBACK, "http://127.0.0.1.evil.example.org/callback"),
    ("native", LOOPBACK, "http://127.0.0.2:51004/callback"),
    ("native", LOOPBACK, "https://127.0.0.1:51004/callback"),
    ("native", "http://localhost/callback", "http://127.0.0.1:51004/callback"),
    ("native", "http://localhost/callback", "http://localhost.evil.example.org/callback"),
    ("native", "http://localhost/callback", "http://localhost:51004/evil"),
    ("web", "http://localhost/callback", "http://localhost:51004/callback"),
    ("native", HTTPS, "https://app.example.net:51004/callback"),
    ("native", "http://[::1]/callback", "http://127.0.0.1:51004/callback"),
    ("native", "com.example.app:/callback", "com.example.app:/callback/evil"),
]


@pytest.mark.parametrize(("client_type", "registered", "sent"), NOT_REGISTERED)
def test_what_is_not_registered_is_shown_and_never_followed(
    site: Site, client_type: ClientType, registered: str, sent: str
) -> None:
    party = RelyingParty(site, make_client(site, client_type, redirect_uris=(registered,)))
    before = row_counts(site)

    answer = site.http.get(party.url(redirect_uri=sent))

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "location" not in answer.headers
    assert "x-injected" not in answer.headers
    assert "<script>alert" not in answer.text
    assert 'href="javascript:' not in answer.text.lower()
    assert row_counts(site) == before


REGISTERED: list[tuple[ClientType, str, str]] = [
    ("web", HTTPS, HTTPS),
    ("web", f"{HTTPS}?a=1&b=2", f"{HTTPS}?a=1&b=2"),
    ("native", LOOPBACK, LOOPBACK),
    ("native", LOOPBACK, "http://127.0.0.1:51004/callback"),
    ("native", "http://127.0.0.1:8000/callback", "http://127.0.0.1:51004/callback"),
    ("native", "http://[::1]/callback", "http://[::1]:51004/callback"),
    ("native", "http://localhost/callback", "http://localhost:51004/callback"),
    ("native", "http://localhost:8000/callback", "http://localhost:51004/callback"),
]


@pytest.mark.parametrize(("client_type", "registered", "sent"), REGISTERED)
def test_what_is_registered_gets_the_answer(
    site: Site, client_type: ClientType, registered: str, sent: str
) -> None:
    party = RelyingParty(site, make_client(site, client_type, redirect_uris=(registered,)))

    answer = site.http.get(party.url(redirect_uri=sent, prompt="none"))

    separator = "&" if "?" in sent else "?"
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{sent}{separator}error=login_required&")


FAULTY: list[dict[str, str]] = [
    {"response_type": "token"},
    {"scope": 'un"registered'},
    {"response_mode": "telepathy"},
    {"request": "eyJhbGciOiJub25lIn0.e30."},
    {"request_uri": "https://evil.example.org/request"},
    {"prompt": "none"},
    {"max_age": "soon"},
    {"code_challenge_method": "plain"},
]


@pytest.mark.parametrize("fault", FAULTY)
def test_no_other_fault_comes_before_the_redirect_uri(site: Site, fault: dict[str, str]) -> None:
    party = RelyingParty(site, make_client(site))

    for way in (site.http.get, _post(site)):
        answer = way(party.url(redirect_uri="https://evil.example.org/", **fault))

        assert answer.status_code == 400
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"client_id": "unknown", "redirect_uri": None},
        {"client_id": None},
        {"client_id": ""},
        {"client_id": "' OR 1=1 --"},
        {"client_id": "\u202eevil\U0001f600"},
        {"client_id": "x" * 9000},
        {"redirect_uri": None},
        {"redirect_uri": ""},
    ],
)
def test_an_unknown_client_or_no_address_is_a_page(
    site: Site, changes: dict[str, str | None]
) -> None:
    party = RelyingParty(site, make_client(site))
    before = row_counts(site)

    for way in (site.http.get, _post(site)):
        answer = way(party.url(**changes))

        assert answer.status_code == 400
        assert "location" not in answer.headers
    assert row_counts(site) == before


def test_two_registered_addresses_and_none_sent_is_a_page(site: Site) -> None:
    app = make_client(site, redirect_uris=(HTTPS, f"{HTTPS}2"))

    answer = site.http.get(RelyingParty(site, app).url(redirect_uri=None))

    assert answer.status_code == 400


def test_a_service_is_never_redirected_to(site: Site) -> None:
    party = RelyingParty(site, make_client(site, "service"))

    answer = site.http.get(party.url(redirect_uri=HTTPS))

    assert answer.status_code == 400
    assert "location" not in answer.headers


def _post(site: Site):
    def way(url: str):
        path, _, query = url.partition("?")
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return site.http.post(path, content=query, headers=headers)

    return way
