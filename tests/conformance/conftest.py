"""A server that is set up for a run of certification, and the suite that runs against it."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from oidc_server.domain import users
from tests.conformance.suite import Suite
from tests.factories import Person, make_user
from tests.services.external_service import (
    ExternalService,
    certificate_for,
    external_service,
    saying,
)
from tests.site import Site, running_site, settings_for

CLAIMS = {
    "name": "Ada King",
    "given_name": "Ada",
    "family_name": "King",
    "middle_name": "Augusta",
    "nickname": "Countess",
    "profile": "https://people.example.net/ada",
    "picture": "https://people.example.net/ada.png",
    "website": "https://ada.example.net/",
    "gender": "female",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "phone_number": "+442079460000",
    "address": {"street_address": "12 St James's Square", "country": "United Kingdom"},
}


def suite_for(site: Site) -> Suite:
    return Suite(site.browser, site.issuer, lambda: site.clock.now)


@pytest.fixture(scope="session")
def _shared_certified_site(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("data")
    settings = settings_for(database_url, folder, registration="open", pkce="public")
    with running_site(settings) as site:
        yield site


@pytest.fixture
def certified(_shared_certified_site: Site) -> Site:
    """The server, empty, with the settings of `docs/conformance.md`."""
    _shared_certified_site.clean()
    return _shared_certified_site


@pytest.fixture
def suite(certified: Site) -> Suite:
    return suite_for(certified)


@pytest.fixture
def make_person(certified: Site) -> Callable[[], Person]:
    return lambda: person_with_every_claim(certified)


@pytest.fixture
def person(make_person: Callable[[], Person]) -> Person:
    return make_person()


def person_with_every_claim(site: Site) -> Person:
    """The test user of a run."""
    made = make_user(site)
    with site.db() as db:
        users.edit(db, made.id, CLAIMS, site.clock.now, phone_number_verified=True)
    return made


@pytest.fixture
def private_site(start_site: Callable[..., Site]) -> Site:
    """The server beside a suite in a private network, where its clients publish and listen."""
    return start_site(
        registration="open",
        pkce="public",
        outbound_allow=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
    )


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExternalService]:
    """What the suite serves over https, with a certificate of its own authority."""
    shown, _ = certificate_for("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
    with external_service(saying(b""), tls=shown) as running:
        yield running
