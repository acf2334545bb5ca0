"""Requests that are meant for another server are not answered as if they were for us."""

from collections.abc import Callable

import pytest

from tests.site import Site
from tests.wire import FORM, Raw, ask

OURS = ["id.example.com", "ID.example.COM", "id.example.com:443", "127.0.0.1:8000", "[::1]:8000",
        "localhost", "oidc.internal:8000", "127.8.8.8"]  # fmt: skip
FOREIGN = ["evil.example", "evil.example:443", "id.example.com.evil.example", "id.example.com@evil",
           "", ":", "6.6.6.6", "[2001:db8::1]", "\u00e9", "id.example.com, evil"]  # fmt: skip


def get(site: Site, path: str, *hosts: str) -> Raw:
    return ask(site, "GET", path, headers=tuple(("host", host) for host in hosts))


@pytest.fixture
def here(start_site: Callable[..., Site]) -> Site:
    return start_site(trusted_hosts="oidc.internal")


def test_only_our_own_names_are_answered(here: Site) -> None:
    ours = {host: get(here, "/login", host).status for host in OURS}
    foreign = {host: get(here, "/login", host).status for host in FOREIGN}

    assert ours == dict.fromkeys(OURS, 200)
    assert foreign == dict.fromkeys(FOREIGN, 421)


def test_a_name_is_said_once(site: Site) -> None:
    assert get(site, "/login", "id.example.com", "id.example.com").status == 400
    assert get(site, "/login", "id.example.com", "evil.example").status == 400


def test_the_refusal_has_the_shape_of_its_address(site: Site) -> None:
    page = get(site, "/login", "evil.example")
    machine = ask(site, "POST", "/token", headers=(FORM, ("host", "evil.example")), body=b"a=b")
    api = get(site, "/api/v1/me", "evil.example")

    assert (page.status, machine.status, api.status) == (421, 421, 421)
    assert "OIDC_TRUSTED_HOSTS" in page.text
    assert "evil.example" not in page.text
    assert machine.header("content-type") == "application/json"
    assert api.header("content-type") == "application/problem+json"


def test_what_watches_us_may_call_us_anything(site: Site) -> None:
    assert get(site, "/health/live", "10.0.0.7:8000").status == 200
    assert get(site, "/health/ready", "10.0.0.7:8000").status == 503  # the clock of the tests
