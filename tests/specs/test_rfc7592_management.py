"""RFC 7592: a client reads, replaces and ends its own registration."""

from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select

from oidc_server.domain import (
    audit,
    audit_formats,
    audit_trail,
    client_registrations,
    clients,
)
from oidc_server.domain.clients import UnknownClientError
from tests.browser import Browser
from tests.client_registration.registrations import (
    REDIRECT_URI,
    app_of,
    bearer,
    described,
    manage,
    path_of,
    registered,
)
from tests.factories import make_client, make_user
from tests.held_up import held_up
from tests.relying_party import RelyingParty
from tests.site import Site


def test_2_1_a_client_reads_what_it_registered(open_site: Site) -> None:
    client = registered(open_site, contacts=["ops@example.net"])

    answer = manage(open_site, "GET", client)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    secret = {"client_secret", "client_secret_expires_at"}
    assert answer.json() == {name: client[name] for name in client.keys() - secret}


def test_2_1_every_wrong_way_in_is_answered_alike(open_site: Site) -> None:
    client, other, gone = (registered(open_site) for _ in range(3))
    by_operator = make_client(open_site).client_id
    manage(open_site, "DELETE", gone)
    disabled = registered(open_site)
    with open_site.db() as db:
        clients.change(db, disabled["client_id"], disabled_at=open_site.clock.now)

    def ask(method: str, client_id: str, token: str) -> Response:
        json = described(client_id=client_id) if method == "PUT" else None
        return open_site.http.request(
            method, f"/register/{client_id}", headers=bearer(token), json=json
        )

    answers = [
        ask(method, client_id, token)
        for method in ("GET", "PUT", "DELETE")
        for client_id, token in (
            (client["client_id"], other["registration_access_token"]),
            (client["client_id"], "x"),
            (client["client_id"], client["client_secret"]),
            ("nobody", client["registration_access_token"]),
            (by_operator, client["registration_access_token"]),
            (gone["client_id"], gone["registration_access_token"]),
            (disabled["client_id"], disabled["registration_access_token"]),
        )
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.headers["www-authenticate"] for answer in answers}) == 1
    bodies = [answer.json() for answer in answers]
    assert {body["error"] for body in bodies} == {"invalid_token"}
    assert len({body["error_description"] for body in bodies}) == 1
    assert manage(open_site, "GET", client).status_code == 200


def test_without_a_token_the_answer_says_how_to_send_one(open_site: Site) -> None:
    client = registered(open_site)

    answers = [
        open_site.http.get(path_of(client)),
        open_site.http.get(path_of(client), headers={"authorization": "Basic YTpi"}),
        open_site.http.get(
            path_of(client), params={"access_token": client["registration_access_token"]}
        ),
    ]

    assert {answer.status_code for answer in answers} == {401}
    challenges = {answer.headers["www-authenticate"] for answer in answers}
    assert challenges == {f'Bearer realm="{open_site.issuer}"'}  # no DPoP, no other resource


def test_2_2_what_is_left_out_is_the_default_again(open_site: Site) -> None:
    client = registered(open_site, contacts=["ops@example.net"], default_max_age=60)

    answer = manage(open_site, "PUT", client, redirect_uris=["https://app.example.net/new"])

    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert changed == manage(open_site, "GET", client).json()
    assert changed["redirect_uris"] == ["https://app.example.net/new"]
    assert not {"contacts", "default_max_age"} & changed.keys()
    assert changed["registration_access_token"] == client["registration_access_token"]


def test_2_2_null_is_the_default_too(open_site: Site) -> None:
    client = registered(open_site, contacts=["ops@example.net"])
    members = described(client_id=client["client_id"]) | {"contacts": None, "scope": None}

    answer = open_site.http.put(
        path_of(client), json=members, headers=bearer(client["registration_access_token"])
    )

    assert answer.status_code == 200
    assert "contacts" not in answer.json()


def test_2_2_the_new_metadata_hold_at_once(open_site: Site) -> None:
    client = registered(open_site)
    party = RelyingParty(open_site, app_of(client))
    browser, person = Browser(open_site.browser(), open_site.issuer), make_user(open_site)
    party.authorize(browser, person)

    manage(open_site, "PUT", client, redirect_uris=["https://app.example.net/new"])

    assert browser.go(party.url()).status_code == 400
    again = browser.go(party.url(redirect_uri="https://app.example.net/new"))
    assert again.headers["location"].startswith("https://app.example.net/new?code=")


@pytest.mark.parametrize(
    ("members", "error", "field"),
    [
        ({"client_id": None}, "invalid_client_metadata", "client_id"),
        ({"client_id": "another"}, "invalid_client_metadata", "client_id"),
        ({"client_secret": "chosen"}, "invalid_client_metadata", "client_secret"),
        ({"client_secret": 7}, "invalid_client_metadata", "client_secret"),
        ({"registration_access_token": "x"}, "invalid_client_metadata", "registration_access"),
        ({"registration_client_uri": "x"}, "invalid_client_metadata", "registration_client"),
        ({"client_secret_expires_at": 0}, "invalid_client_metadata", "client_secret_expires"),
        ({"client_id_issued_at": 0}, "invalid_client_metadata", "client_id_issued_at"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri", "javascript"),
        ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types"),
        ({"application_type": "native"}, "invalid_client_metadata", "application_type"),
        (
            {"token_endpoint_auth_method": "none"},
            "invalid_client_metadata",
            "token_endpoint_auth_method",
        ),
        ({"software_statement": "x"}, "invalid_software_statement", "software_statement"),
    ],
)
def test_2_2_a_replacement_is_judged_like_a_registration(
    open_site: Site, members: dict[str, Any], error: str, field: str
) -> None:
    client = registered(open_site)
    before = manage(open_site, "GET", client).json()

    answer = open_site.http.put(
        path_of(client),
        json={
            name: value
            for name, value in {**described(), "client_id": client["client_id"], **members}.items()
            if value is not None
        },
        headers=bearer(client["registration_access_token"]),
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert field in answer.json()["error_description"]
    assert manage(open_site, "GET", client).json() == before


@pytest.mark.parametrize("number", [1e30, 10**30, -(10**30), 2**64, 2**64 - 1, 5e-324])
def test_2_2_no_number_in_its_keys_makes_anything_unreadable(
    open_site: Site, number: float
) -> None:
    client = registered(open_site, jwks={"keys": [], "x": number})

    answers = [manage(open_site, method, client) for method in ("GET", "PUT", "GET")]
    with open_site.db() as db:
        told = audit_trail.search(db, audit_trail.Filter(), limit=10)

    assert [answer.status_code for answer in answers] == [200] * 3
    assert float(answers[0].json()["jwks"]["x"]) == float(number)
    assert b"client.changed" in audit_formats.lines(audit_formats.Format.JSONL, told)


def test_2_2_the_secret_that_is_sent_back_is_accepted_and_stays(open_site: Site) -> None:
    client = registered(open_site)

    answer = manage(open_site, "PUT", client, client_secret=client["client_secret"])

    assert answer.status_code == 200
    with open_site.db() as db:
        stored = clients.load(db, client["client_id"])
    assert stored.knows_secret(client["client_secret"], open_site.clock.now)


def test_2_2_who_replaces_its_metadata_loses_what_an_operator_allowed(open_site: Site) -> None:
    """Else a client that is trusted could send the codes it needs no consent for elsewhere."""
    client = registered(open_site)
    with open_site.db() as db:
        stored = clients.load(db, client["client_id"])
        document = stored.metadata.to_document() | {"skip_consent": True, "may_introspect": True}
        trusted = stored.metadata.from_document(document)
        clients.change(db, client["client_id"], metadata=trusted)

    manage(open_site, "PUT", client)

    with open_site.db() as db:
        metadata = clients.load(db, client["client_id"]).metadata
    assert not metadata.skip_consent
    assert not metadata.may_introspect


def test_2_2_a_client_that_stops_using_its_secret_has_none(open_site: Site) -> None:
    client = registered(open_site)
    keys = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": "https://app.example.net/jwks",
    }

    manage(open_site, "PUT", client, **keys)
    with open_site.db() as db:
        without = clients.load(db, client["client_id"]).secrets
    back = manage(open_site, "PUT", client).json()

    assert without == ()
    assert back["client_secret"] != client["client_secret"]
    assert back["client_secret_expires_at"] == 0
    with open_site.db() as db:
        again = clients.load(db, client["client_id"])
    assert again.knows_secret(back["client_secret"], open_site.clock.now)
    assert not again.knows_secret(client["client_secret"], open_site.clock.now)


def test_2_2_a_replacement_of_a_client_that_ends_meanwhile_finds_none(open_site: Site) -> None:
    client = registered(open_site)

    with open_site.db() as db:
        client_registrations.delete_client(db, client["client_id"], open_site.clock.now)
        assert clients.find(db, client["client_id"]) is None
        replacing = held_up(lambda: manage(open_site, "PUT", client))
    answer = replacing()

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_2_3_with_the_client_all_that_it_was_given_ends(open_site: Site) -> None:
    client = registered(open_site, grant_types=["authorization_code", "refresh_token"])
    party = RelyingParty(open_site, app_of(client))
    browser, person = Browser(open_site.browser(), open_site.issuer), make_user(open_site)
    tokens = party.redeem(party.authorize(browser, person).code).json()
    code = party.authorize(browser, person).code
    pending = browser.go(party.url(scope="openid profile email offline_access"))
    assert party.userinfo(tokens["access_token"]).status_code == 200

    answer = manage(open_site, "DELETE", client)

    assert (answer.status_code, answer.content) == (204, b"")
    assert manage(open_site, "GET", client).status_code == 401
    assert manage(open_site, "DELETE", client).status_code == 401
    assert party.userinfo(tokens["access_token"]).status_code == 401
    for refused in (party.redeem(code), party.refresh(tokens["refresh_token"])):
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert browser.go(party.url()).status_code == 400
    assert browser.allow(pending).status_code == 400
    assert browser.go("/account").status_code == 200


def test_2_3_a_deleted_client_stays_in_the_audit_log_alone(open_site: Site) -> None:
    client = registered(open_site)
    open_site.clock.advance(1)

    manage(open_site, "DELETE", client)

    with open_site.db() as db:
        assert list(clients.each_client(db)) == []
        with pytest.raises(UnknownClientError):
            clients.load(db, client["client_id"])
        events = [
            row.event
            for row in db.session.query(audit.AuditEvent).order_by(audit.AuditEvent.id)
            if row.client_id == client["client_id"]
        ]
    assert events == ["client.registered", "client.deleted"]


def test_2_3_of_two_deletions_at_once_one_finds_a_client(open_site: Site) -> None:
    client = registered(open_site)

    with open_site.db() as db:
        client_registrations.delete_client(db, client["client_id"], open_site.clock.now)
        deleting = held_up(lambda: manage(open_site, "DELETE", client))
    answer = deleting()

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    with open_site.db() as db:
        events = db.session.scalars(select(audit.AuditEvent.event)).all()
    assert audit.Event.CLIENT_DELETED not in events


def test_no_origin_is_let_in(open_site: Site) -> None:
    client = registered(open_site, token_endpoint_auth_method="none")
    origin = {"origin": REDIRECT_URI.removesuffix("/callback")}

    answers = [
        open_site.http.get(
            path_of(client), headers=bearer(client["registration_access_token"]) | origin
        ),
        open_site.http.options(path_of(client), headers=origin),
    ]

    assert [answer.status_code for answer in answers] == [200, 405]
    assert not any("access-control-allow-origin" in answer.headers for answer in answers)
