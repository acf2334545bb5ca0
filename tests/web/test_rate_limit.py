"""Pages and failed authentications are counted by address, and by no header a stranger can set."""

from collections.abc import Callable

import pytest

from tests.factories import make_client
from tests.relying_party import RelyingParty
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
    assert site.http.get("/health/live").status_code == 200


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
