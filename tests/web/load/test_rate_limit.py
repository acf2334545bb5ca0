"""What is limited by address, by client and by person, and by no header a stranger can set."""

import html
import re
from collections.abc import Callable

import pytest

from tests.browser import Browser
from tests.client_registration.registrations import manage, registered
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import FORM, Raw, ask


def wrong(site: Site, number: int = 0) -> Raw:
    headers = (
        FORM,
        ("x-forwarded-for", f"198.51.100.{number}"),
        ("x-real-ip", f"198.51.100.{number}"),
        ("forwarded", f"for=198.51.100.{number}"),
        ("cf-connecting-ip", f"198.51.100.{number}"),
    )
    return ask(site, "POST", "/token", headers=headers, body=b"grant_type=client_credentials")


def test_failed_authentications_are_limited_and_honest_ones_are_not(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(rate_limits=True)
    party = RelyingParty(site, make_client(site, "service"))

    honest = {party.token(grant_type="client_credentials").status_code for _ in range(150)}
    guesses = [wrong(site, number).status for number in range(101)]

    assert honest == {200}
    assert guesses == [401] * 100 + [429]
    assert party.token(grant_type="client_credentials").status_code == 200


def test_programs_read_which_limit_is_used_up(start_site: Callable[..., Site]) -> None:
    """draft-ietf-httpapi-ratelimit-headers-11 §3, §4."""
    site = start_site(rate_limits=True, rate_limit_failures=2, rate_limit_sign_ups=1)

    failed = [wrong(site) for _ in range(3)]
    pages = Browser(site.browser(), site.issuer)
    page = [pages.send(pages.go("/sign-up"), username="", password="") for _ in range(2)]

    headers = [dict(answer.headers) for answer in failed]
    assert [answer.status for answer in failed] == [401, 401, 429]
    assert not any("ratelimit" in name for told in headers[:2] for name in told)
    wait = headers[2]["retry-after"]
    assert headers[2]["ratelimit-policy"] == '"failures";q=2;w=60'
    assert headers[2]["ratelimit"] == f'"failures";r=0;t={wait}'
    assert page[1].status_code == 429
    assert page[1].headers["ratelimit-policy"] == '"sign-ups";q=1;w=60'


def test_an_honest_client_behind_the_address_of_a_guesser_waits_with_it(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(rate_limits=True, rate_limit_failures=5)
    app = make_client(site, "service")
    body = f"grant_type=client_credentials&client_id={app.client_id}&client_secret="

    def send(secret: str | None) -> int:
        sent = (body + (secret or "")).encode()
        return ask(site, "POST", "/token", headers=(FORM,), body=sent).status

    guesses = [send("wrong") for _ in range(7)]

    assert guesses == [401] * 5 + [429] * 2
    assert send("wrong") == send("the right one, perhaps") == 429


def test_a_confidential_client_is_counted_wherever_it_calls_from(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(rate_limits=True, rate_limit_clients=20)
    party = RelyingParty(site, make_client(site, "service"))
    other = RelyingParty(site, make_client(site, "service"))

    answers = [party.token(grant_type="client_credentials") for _ in range(22)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 2
    refused = answers[-1]
    assert refused.json()["error"] == "temporarily_unavailable"
    assert 0 < int(refused.headers["retry-after"]) <= 61
    assert party.post("/introspect", token="x").status_code == 429
    assert other.token(grant_type="client_credentials").status_code == 200


def test_a_stranger_cannot_use_up_what_a_client_needs(start_site: Callable[..., Site]) -> None:
    site = start_site(rate_limits=True, rate_limit_clients=5)
    confidential = RelyingParty(site, make_client(site, "service"))
    public = RelyingParty(site, make_client(site, "spa"))

    def pose_as(party: RelyingParty) -> set[int]:
        body = f"grant_type=refresh_token&refresh_token=x&client_id={party.app.client_id}"
        return {
            ask(site, "POST", "/token", headers=(FORM,), body=body.encode()).status
            for _ in range(12)
        }

    assert pose_as(confidential) == {401}
    assert pose_as(public) == {400, 429}

    assert confidential.token(grant_type="client_credentials").status_code == 200
    assert public.refresh("nothing").status_code == 400


def test_a_person_is_counted_at_userinfo_and_the_api_and_not_all_at_their_address(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(rate_limits=True, rate_limit_clients=10)
    party, _, _, tokens = signed_in(site)
    others = RelyingParty(site, party.app)
    browser = Browser(site.browser(), site.issuer)

    statuses = [party.userinfo(tokens["access_token"]).status_code for _ in range(11)]
    other = others.redeem(others.authorize(browser, make_user(site)).code).json()

    assert statuses == [200] * 10 + [429]
    assert others.userinfo(other["access_token"]).status_code == 200


def test_a_registration_that_is_changed_is_counted_as_one_that_is_made(
    start_site: Callable[..., Site],
) -> None:
    """The audit log keeps what was there before and after, and a sector is fetched each time."""
    site = start_site(rate_limits=True, rate_limit_registrations=4, registration="open")
    client = registered(site)

    changed = [manage(site, "PUT", client, client_name=f"Ledger {n}") for n in range(5)]

    assert [answer.status_code for answer in changed] == [200] * 3 + [429] * 2
    assert manage(site, "GET", client).json()["client_name"] == "Ledger 2"
    assert manage(site, "DELETE", client).status_code == 204


def test_a_request_that_runs_twice_counts_once(start_site: Callable[..., Site]) -> None:
    """The password grant proves the client before the password is hashed, and again after."""
    site = start_site(rate_limits=True, rate_limit_clients=4)
    grants = ("password",)
    party = RelyingParty(site, make_client(site, "web", grant_types=grants, redirect_uris=()))
    person = make_user(site)

    statuses = [
        party.token(
            grant_type="password", username=person.username, password=person.password
        ).status_code
        for _ in range(5)
    ]

    assert statuses == [200] * 4 + [429]


@pytest.mark.parametrize(
    ("path", "shape"), [("/login", "text/html"), ("/api/v1/me", "application/problem+json")]
)
def test_a_refusal_has_the_shape_of_its_address(
    start_site: Callable[..., Site], path: str, shape: str
) -> None:
    site = start_site(rate_limits=True, rate_limit_pages=1, rate_limit_failures=1)
    ask(site, "GET", path)

    refused = ask(site, "GET", path)

    assert refused.status == 429
    assert (refused.header("content-type") or "").startswith(shape)
    assert 0 < int(refused.header("retry-after") or "") <= 61


def test_the_answer_says_when_to_come_back(start_site: Callable[..., Site]) -> None:
    site = start_site(rate_limits=True)
    for number in range(100):
        wrong(site, number)

    answer = wrong(site)

    assert answer.status == 429
    assert int(answer.header("retry-after") or "") > 0
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"


def test_pages_are_limited(start_site: Callable[..., Site]) -> None:
    site = start_site(rate_limits=True)

    answers = [ask(site, "GET", "/login") for _ in range(101)]

    assert [answer.status for answer in answers] == [200] * 100 + [429]
    assert answers[-1].header("content-type") == "text/html; charset=utf-8"
    assert int(answers[-1].header("retry-after") or "") > 0
    assert f'href="{site.issuer}/login">Try again<' in answers[-1].body.decode()
    assert site.http.get("/health/live").status_code == 200


def test_a_long_request_can_be_tried_again(start_site: Callable[..., Site]) -> None:
    """A signed one is; without its parameters the app would be blamed for what is missing."""
    site = start_site(rate_limits=True, rate_limit_passages=1)
    party = RelyingParty(site, make_client(site))
    address = party.url(request="x" * 3000)

    answers = [site.http.get(address) for _ in range(2)]

    [again] = re.findall(r'href="([^"]+)">Try again<', answers[1].text)
    assert [answer.status_code for answer in answers] == [303, 429]
    assert html.unescape(again) == site.issuer + address


PROXIED = [
    ("198.51.100.7", "198.51.100.7"),
    ("6.6.6.6, 198.51.100.7", "198.51.100.7"),
    ("6.6.6.6, 198.51.100.7, 192.0.2.9", "198.51.100.7"),
    ("2001:db8::1", "2001:db8::1"),
]
MALFORMED = (",,,", "a", "198.51.100.7:80", "x" * 10_000, "", "' OR 1=1")


@pytest.mark.parametrize(("forwarded", "address"), PROXIED)
def test_behind_a_trusted_proxy_the_next_hop_counts(
    start_site: Callable[..., Site], forwarded: str, address: str
) -> None:
    site = start_site(rate_limits=True, trusted_proxies="192.0.2.0/24")
    spent = (("x-forwarded-for", address),)
    for _ in range(100):
        ask(site, "GET", "/login", headers=spent)

    same = ask(site, "GET", "/login", headers=(("x-forwarded-for", forwarded),))
    other = ask(site, "GET", "/login", headers=(("x-forwarded-for", "203.0.113.1"),))

    assert (same.status, other.status) == (429, 200)


def test_a_malformed_header_of_a_proxy_counts_as_the_proxy(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(rate_limits=True, trusted_proxies="192.0.2.0/24")

    answers = [
        ask(site, "GET", "/login", headers=(("x-forwarded-for", value),)).status
        for value in MALFORMED * 18
    ]

    assert answers[:100] == [200] * 100
    assert answers[100:] == [429] * (len(answers) - 100)
