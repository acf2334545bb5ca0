"""OpenID Connect Core §8: one `sub` for all, or one for each sector that nobody can link."""

import json
import re
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete

from oidc_server.database import Database
from oidc_server.domain import client_metadata, clients, subjects
from oidc_server.domain.subjects import PairwiseSubject
from tests.browser import Browser
from tests.domain.conftest import NOW
from tests.domain.racing import race
from tests.factories import Person, everybody, make_client, make_user
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.tokens import claims_of

HERE, THERE = "https://one.example.net/callback", "https://two.example.net/callback"
AFTER = "https://one.example.net/signed-out"


def client_of(site: Site, redirect_uri: str = HERE, **changes: Any) -> RelyingParty:
    values = {"subject_type": "pairwise", "redirect_uris": (redirect_uri,), **changes}
    return RelyingParty(site, make_client(site, **values))


def tokens_of(party: RelyingParty, site: Site, person: Person) -> dict[str, Any]:
    browser = Browser(site.browser(), site.issuer)
    tokens: dict[str, Any] = party.redeem(party.authorize(browser, person).code).json()
    return tokens


def sub_for(party: RelyingParty, site: Site, person: Person) -> str:
    return str(claims_of(tokens_of(party, site, person)["id_token"])["sub"])


def test_everything_a_pairwise_client_sees_has_one_sub_that_is_not_the_users_id(
    site: Site,
) -> None:
    party, person = client_of(site), make_user(site)

    tokens = tokens_of(party, site, person)
    refreshed = party.refresh(tokens["refresh_token"]).json()

    told = {
        claims_of(tokens["id_token"])["sub"],
        claims_of(tokens["access_token"])["sub"],
        claims_of(refreshed["id_token"])["sub"],
        claims_of(refreshed["access_token"])["sub"],
        party.userinfo(tokens["access_token"]).json()["sub"],
        party.introspect(refreshed["access_token"])["sub"],
        party.introspect(refreshed["refresh_token"])["sub"],
    }
    assert len(told) == 1
    assert told != {person.id}
    seen = (*tokens.values(), *refreshed.values(), party.userinfo(tokens["access_token"]).text)
    assert not [text for text in seen if person.id in str(text)]


def test_a_sub_is_a_random_uuid_so_it_is_never_a_client_id(site: Site) -> None:
    party = client_of(site)

    sub = sub_for(party, site, make_user(site))

    assert UUID(sub).version == 4
    with pytest.raises(ValueError, match="UUID"):
        UUID(party.app.client_id)


def test_clients_of_one_sector_see_one_sub_and_those_of_another_another(site: Site) -> None:
    person = make_user(site)
    first, second, other = client_of(site), client_of(site, HERE + "/2"), client_of(site, THERE)

    subs = [sub_for(party, site, person) for party in (first, second, other)]

    assert subs[0] == subs[1] != subs[2]


def test_a_sector_identifier_joins_clients_of_several_hosts(site: Site) -> None:
    person = make_user(site)
    sector = "https://two.example.net/clients.json"
    joined = [
        client_of(site, address, sector_identifier_uri=sector)
        for address in (HERE, "https://three.example.net/callback")
    ]

    subs = {sub_for(party, site, person) for party in (*joined, client_of(site, THERE))}

    assert len(subs) == 1


def test_people_of_one_sector_differ_and_each_keeps_their_sub(site: Site) -> None:
    party, ada, bob = client_of(site), make_user(site), make_user(site)

    first = [sub_for(party, site, person) for person in (ada, bob)]
    again = [sub_for(party, site, person) for person in (ada, bob)]

    assert first == again
    assert len(set(first)) == 2


def test_public_clients_all_see_one_sub_and_leave_no_row(site: Site) -> None:
    person = make_user(site)
    parties = [client_of(site, uri, subject_type="public") for uri in (HERE, THERE)]

    subs = {sub_for(party, site, person) for party in parties}

    assert subs == {person.id}
    with site.db() as db:
        assert db.session.query(PairwiseSubject).count() == 0


def test_the_hint_of_a_pairwise_client_signs_its_person_out(site: Site) -> None:
    party, person = client_of(site, post_logout_redirect_uris=(AFTER,)), make_user(site)
    browser = Browser(site.browser(), site.issuer)
    tokens = party.redeem(party.authorize(browser, person).code).json()

    query = urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER})
    answer = browser.go(f"/logout?{query}")

    assert (answer.status_code, answer.headers["location"]) == (303, AFTER)
    assert party.read(browser.go(party.url(prompt="none"))).error == "login_required"


def test_clients_of_two_sectors_cannot_link_a_person_by_the_sid_of_the_session(
    site: Site,
) -> None:
    """In nothing that says which session it was: ID Tokens, access tokens, the front channel."""
    person, browser = make_user(site), Browser(site.browser(), site.issuer)
    parties = [
        client_of(site, HERE, frontchannel_logout_uri="https://one.example.net/out"),
        client_of(site, HERE + "/2"),
        client_of(site, THERE, frontchannel_logout_uri="https://two.example.net/out"),
        client_of(site, subject_type="public"),
    ]
    got = [party.redeem(party.authorize(browser, person).code).json() for party in parties]

    sids = [claims_of(tokens["id_token"])["sid"] for tokens in got]
    signed_out = browser.go(f"/logout?id_token_hint={got[2]['id_token']}")

    assert sids[0] == sids[1]
    assert len(set(sids)) == 3
    assert [claims_of(tokens["access_token"])["sid"] for tokens in got] == sids
    for host, sid in (("one", sids[0]), ("two", sids[2])):
        assert re.search(rf'"https://{host}.example.net/out\?[^"]*sid={sid}"', signed_out.text)


def test_a_pairwise_client_cannot_find_out_the_public_sub_of_who_is_signed_in(site: Site) -> None:
    party, person = client_of(site), make_user(site)
    browser = Browser(site.browser(), site.issuer)
    sub = claims_of(party.redeem(party.authorize(browser, person).code).json()["id_token"])["sub"]

    def asked_for(value: str) -> str | None:
        claims = json.dumps({"id_token": {"sub": {"value": value}}})
        return party.read(browser.go(party.url(prompt="none", claims=claims))).error

    assert asked_for(sub) is None
    assert asked_for(person.id) == asked_for(str(uuid4())) == "login_required"


def test_a_sub_is_found_again_by_its_own_sector_only(site: Site) -> None:
    person = make_user(site)
    party, other, public = client_of(site), client_of(site, THERE), make_client(site)
    sub = sub_for(party, site, person)

    with site.db() as db:
        apps = [clients.load(db, app.client_id) for app in (party.app, other.app, public)]
        found = [subjects.find_user(db, client, sub) for client in apps]
        by_id = [subjects.find_user(db, client, person.id) for client in apps]
        odd = [subjects.find_user(db, apps[0], value) for value in (None, 7, "x", "\0", [sub])]

    assert found == [person.id, None, sub]
    assert by_id == [None, None, person.id]
    assert odd == [None] * 5


def _sub_for(database: Database, name: str) -> list[str]:
    del name
    with database.transaction("read") as db:
        client = next(clients.each_client(db))
        ids = [user.id for user in everybody(db)]
    found = []
    for user_id in ids:
        with database.transaction("write") as db:
            found.append(str(subjects.pairwise_sub(db, client, user_id, NOW)))
    return found


@pytest.mark.race
@pytest.mark.slow
def test_two_that_meet_a_person_at_once_learn_one_sub(site: Site) -> None:
    client_of(site)
    for _ in range(25):
        make_user(site)
    with site.db() as db:
        db.session.execute(delete(PairwiseSubject))

    first, second = race(_sub_for, site.runtime.database)

    assert first == second
    assert len(set(first)) == 25


@pytest.mark.parametrize(
    "redirect_uri",
    ["com.example.app://one.example.net/callback", "http://127.0.0.1/callback"],
)
def test_a_client_on_a_device_is_in_no_sector_but_its_own(site: Site, redirect_uri: str) -> None:
    """Core §8.1: the owner of a host answers for https addresses there, and for nothing else."""
    person = make_user(site)
    metadata = client_metadata.for_type(
        "native", client_name="Kiosk", redirect_uris=[redirect_uri], subject_type="pairwise"
    )
    known_there = sub_for(client_of(site), site, person)

    with site.db() as db:
        made = [
            clients.create(db, client_type="native", metadata=metadata, now=site.clock.now).client
            for _ in range(2)
        ]
        subs = {subjects.pairwise_sub(db, client, person.id, site.clock.now) for client in made}

    assert len(subs) == 2
    assert known_there not in subs


def test_a_client_without_a_host_is_a_sector_of_its_own(site: Site) -> None:
    metadata = client_metadata.ClientMetadata(client_name="Kiosk", subject_type="pairwise")

    with site.db() as db:
        made = [
            clients.create(db, client_type="web", metadata=metadata, now=site.clock.now).client
            for _ in range(2)
        ]

    assert [subjects.sector_of(client) for client in made] == [c.client_id for c in made]
