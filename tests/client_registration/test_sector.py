"""`sector_identifier_uri`: fetched when a client registers, through the guarded way out."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.client_registration.registrations import REDIRECT_URI, manage, register
from tests.services.external_service import ExternalService, external_service, saying
from tests.site import Site
from tests.wire import row_counts

OTHER_URI = "https://other.example.net/callback"
BOTH = [REDIRECT_URI, OTHER_URI]


@pytest.fixture
def loopback_site(start_site: Callable[..., Site]) -> Site:
    """A server on loopback, which may ask loopback."""
    return start_site(registration="open", issuer="http://localhost:8000")


@pytest.fixture
def place() -> Iterator[ExternalService]:
    with external_service(saying(json.dumps(BOTH).encode())) as running:
        yield running


def test_openid_registration_5_every_redirect_uri_must_be_listed(
    loopback_site: Site, place: ExternalService
) -> None:
    sector = {"subject_type": "pairwise", "sector_identifier_uri": place.url("/sector")}

    good = register(loopback_site, redirect_uris=BOTH, **sector)
    bad = register(loopback_site, redirect_uris=[*BOTH, "https://third.example.net/"], **sector)
    changed = manage(
        loopback_site, "PUT", good.json(), redirect_uris=["https://third.example.net/"], **sector
    )

    assert good.status_code == 201, good.text
    assert good.json()["sector_identifier_uri"] == place.url("/sector")
    for refused in (bad, changed):
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_client_metadata"
        assert "sector_identifier_uri" in refused.json()["error_description"]
    assert len(place.asked) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 200),
        (b'"https://app.example.net/callback"', 200),
        (b"[1]", 200),
        (b"[", 200),
        (b"[" * 60_000, 200),
        (b"\xff", 200),
        (b'["https://app.example.net/callback"]', 404),
        (b'["https://app.example.net/callback"]', 302),
        (b"[]", 500),
    ],
)
def test_what_is_no_list_of_addresses_is_refused(
    loopback_site: Site, place: ExternalService, body: bytes, status: int
) -> None:
    place.behaviour = saying(body, status=status)

    answer = register(loopback_site, sector_identifier_uri=place.url())

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_client_metadata"
    assert row_counts(loopback_site)["clients"] == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]"]
)
def test_nobody_makes_a_public_server_look_inside(
    open_site: Site, place: ExternalService, host: str
) -> None:
    answer = register(open_site, sector_identifier_uri=f"https://{host}:{place.port}/")

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client_metadata"
    assert place.asked == []


def test_nothing_else_that_a_client_names_is_fetched_when_it_registers(
    loopback_site: Site, place: ExternalService
) -> None:
    address = place.url("/x")

    answer = register(
        loopback_site,
        redirect_uris=[address],
        jwks_uri=address,
        logo_uri=address,
        policy_uri=address,
        tos_uri=address,
        client_uri=address,
        request_uris=[address],
        backchannel_logout_uri=address,
        frontchannel_logout_uri=address,
        initiate_login_uri=address.replace("http:", "https:"),
    )

    assert answer.status_code == 201, answer.text
    assert place.asked == []
