"""A thief has all that the database holds: nothing of it opens anything."""

import base64
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    load_ssh_private_key,
)
from sqlalchemy import MetaData, NullPool, create_engine, select

from tests.faults.further_flows import live_on
from tests.faults.whole_flow import Day, live_a_day
from tests.services.deployment import Deployment
from tests.services.smtp import MailServer

pytestmark = pytest.mark.slow
Door = Callable[[Day, httpx2.Client, str], bool]
SHORTEST = 8
"""Characters of a value that is tried; nothing that opens anything is shorter."""


def test_a_stolen_database_holds_no_secret_and_opens_nothing(
    deploy: Callable[..., Deployment], smtp: MailServer
) -> None:
    deployment = deploy(
        smtp_url=f"smtp://{smtp.host}:{smtp.port}?starttls=off",
        registration="token",
        pushed_request_lifetime="10m",
    )
    day = live_a_day(deployment, smtp)
    live_on(day)

    stolen = dump(deployment.command_line.settings["OIDC_DATABASE_URL"])
    files = [path.read_bytes() for path in deployment.command_line.folder.glob("oidc.db*")]

    assert_no_secret_is_in(day, stolen, files)
    assert_nothing_opens(day, sorted({text for value in stolen for text in spellings(value)}))
    assert_the_doors_open_with_their_keys(day)


def assert_no_secret_is_in(day: Day, stolen: list[str | bytes], files: list[bytes]) -> None:
    stored = b"\n".join(value if isinstance(value, bytes) else value.encode() for value in stolen)
    assert len(day.secrets) > 60
    for name, secret in day.secrets.items():
        for place in (stored, *files):
            assert secret.encode() not in place, f"the database holds the {name}"
    assert not [value for value in stolen if isinstance(value, bytes) and is_private_key(value)]
    for place in (stored, *files):
        assert b"PRIVATE KEY" not in place
        assert b'"d"' not in place  # the private part of a JWK


def assert_nothing_opens(day: Day, tried: list[str]) -> None:
    assert len(tried) > 200
    http = day.deployment.client()
    for name, door in DOORS.items():
        opened = [value for value in tried if door(day, http, value)]
        assert not opened, f"{name}: {opened}"


def dump(url: str) -> list[str | bytes]:
    """Every text and every blob of every table, out of documents too."""
    engine = create_engine(url, poolclass=NullPool)
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        return [
            leaf
            for table in tables.sorted_tables
            for row in connection.execute(select(table))
            for value in row
            for leaf in leaves(value)
        ]


def leaves(value: Any) -> Iterator[str | bytes]:
    """The texts and blobs inside a value."""
    if isinstance(value, str | UUID):
        yield str(value)
    elif isinstance(value, bytes | bytearray | memoryview):
        yield bytes(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (name, *leaves(item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)


def spellings(value: str | bytes) -> Iterator[str]:
    """How a thief would write a value into a request."""
    if isinstance(value, bytes):
        yield value.hex()
        yield base64.urlsafe_b64encode(value).rstrip(b"=").decode()
        yield base64.b64encode(value).decode()
        return
    for part in {value, *value.split()}:
        if len(part) >= SHORTEST and part.isascii() and part.isprintable():
            yield part


def as_bearer_token(_day: Day, http: httpx2.Client, value: str) -> bool:
    answer = http.get("/userinfo", headers={"authorization": f"Bearer {value}"})
    return answer.status_code == 200


def as_token_to_introspect(day: Day, _http: httpx2.Client, value: str) -> bool:
    return day.party.introspect(value).get("active") is not False


def as_code(day: Day, _http: httpx2.Client, value: str) -> bool:
    return day.party.redeem(value).status_code != 400


def as_refresh_token(day: Day, _http: httpx2.Client, value: str) -> bool:
    return day.party.refresh(value).status_code != 400


def as_client_secret(day: Day, http: httpx2.Client, value: str) -> bool:
    answer = http.post(
        "/token", data={"grant_type": "client_credentials"}, auth=(day.service.client_id, value)
    )
    return answer.status_code != 401


def as_session(_day: Day, http: httpx2.Client, value: str) -> bool:
    return with_cookie(http, "/account", "sid", value).status_code != 303


def as_browser(day: Day, http: httpx2.Client, value: str) -> bool:
    """The mark that a waiting authorization request is bound to."""
    answer = with_cookie(http, f"/authorize/{day.request_id}", "browser", value)
    return answer.status_code != 400


def as_reset_link(_day: Day, http: httpx2.Client, value: str) -> bool:
    return with_cookie(http, "/password-reset/new", "link", value).status_code == 200


def as_verification_link(_day: Day, http: httpx2.Client, value: str) -> bool:
    return with_cookie(http, "/verify-email", "link", value).status_code == 200


def as_setup_link(_day: Day, http: httpx2.Client, value: str) -> bool:
    return with_cookie(http, "/setup", "link", value).status_code == 200


def as_pushed_request(day: Day, http: httpx2.Client, value: str) -> bool:
    prefix = day.request_uri.removesuffix(day.request_uri.rpartition(":")[2])
    handle = value.removeprefix(prefix)
    http.cookies.clear()
    query = {"client_id": day.party.app.client_id, "request_uri": prefix + handle}
    return http.get("/authorize", params=query).status_code != 400


def as_device_code(day: Day, _http: httpx2.Client, value: str) -> bool:
    assert day.device is not None
    return day.device.error(device_code=value) != "invalid_grant"


def as_registration_access_token(day: Day, http: httpx2.Client, value: str) -> bool:
    headers = {"authorization": f"Bearer {value}"}
    return http.get(f"/register/{day.registered_id}", headers=headers).status_code != 401


def as_initial_access_token(_day: Day, http: httpx2.Client, value: str) -> bool:
    headers = {"authorization": f"Bearer {value}"}
    return http.post("/register", json={}, headers=headers).status_code != 401


DOORS: dict[str, Door] = {
    "bearer token": as_bearer_token,
    "introspected token": as_token_to_introspect,
    "code": as_code,
    "refresh token": as_refresh_token,
    "client secret": as_client_secret,
    "session": as_session,
    "browser": as_browser,
    "reset link": as_reset_link,
    "verification link": as_verification_link,
    "set-up link": as_setup_link,
    "pushed request": as_pushed_request,
    "device code": as_device_code,
    "registration access token": as_registration_access_token,
    "initial access token": as_initial_access_token,
}


def assert_the_doors_open_with_their_keys(day: Day) -> None:
    """What was left open still opens: so the doors are doors, and the attempts broke nothing."""
    cookies = day.browser.client.cookies
    assert day.device is not None
    keys = {
        "bearer token": day.access_token,
        "introspected token": day.refresh_token,
        "code": day.code,
        "refresh token": day.refresh_token,
        "client secret": day.service.client_secret or "",
        "session": cookies["sid"],
        "browser": cookies["browser"],
        "reset link": day.reset_link,
        "verification link": day.verify_link,
        "set-up link": day.setup_link,
        "pushed request": day.request_uri,
        "device code": day.device.shown["device_code"],
        "registration access token": day.registration_access_token,
        "initial access token": day.initial_access_token,
    }
    assert keys.keys() == DOORS.keys()
    http = day.deployment.client()
    for name, door in DOORS.items():
        assert door(day, http, keys[name]), name


def with_cookie(http: httpx2.Client, path: str, name: str, value: str) -> httpx2.Response:
    """A request with one cookie; what cannot be in a cookie is nobody's cookie."""
    http.cookies.clear()
    safe = value if not set(value) & set(' ;,"\\') else "x"
    return http.get(path, headers={"cookie": f"{name}={safe}"})


def is_private_key(value: bytes) -> bool:
    for load in (load_der_private_key, load_pem_private_key, load_ssh_private_key):
        try:
            load(value, password=None)
        except (ValueError, TypeError):
            continue
        return True
    return False
