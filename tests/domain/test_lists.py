"""Lists of clients, sessions and grants: a page reads an index in its order, and sorts nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from oidc_server.domain import clients, sessions_and_grants
from oidc_server.domain.clients import Wanted, listing, reading
from tests.domain.plans import plan_of
from tests.factories import make_client
from tests.site import Site


@pytest.mark.parametrize(
    ("named", "index"),
    [
        ({"user_id"}, "ix_grants_user_id_grant_id_not_revoked"),
        ({"client_id"}, "ix_grants_client_id_grant_id_not_revoked"),
        (set(), "ix_grants_grant_id_not_revoked"),
    ],
    ids=["user", "client", "nothing"],
)
def test_grants_are_read_in_the_order_of_an_index(site: Site, named: set[str], index: str) -> None:
    key = sessions_and_grants._grants.c.grant_id

    for given in (named, named | {"before"}):
        with site.db() as db:
            plan = plan_of(
                db, sessions_and_grants._page(sessions_and_grants._grant, key, frozenset(given))
            )
        assert index in plan
        check_sorts_nothing(plan)


@pytest.mark.parametrize(
    ("named", "index"),
    [
        ({"user_id"}, "ix_user_sessions_user_id_id_not_ended"),
        (set(), "ix_user_sessions_id_not_ended"),
    ],
    ids=["user", "nothing"],
)
def test_sessions_are_read_in_the_order_of_an_index(
    site: Site, named: set[str], index: str
) -> None:
    key = sessions_and_grants._sessions.c.id

    for given in (named, named | {"before"}):
        with site.db() as db:
            plan = plan_of(
                db, sessions_and_grants._page(sessions_and_grants._session, key, frozenset(given))
            )
        assert index in plan
        check_sorts_nothing(plan)


@pytest.mark.parametrize(
    ("named", "index"),
    [
        (set(), "ix_clients_created_at_client_id"),
        ({"prefix", "end"}, "ix_clients_canonical_name_client_id"),
    ],
    ids=["all", "search"],
)
def test_clients_are_read_in_the_order_of_an_index(site: Site, named: set[str], index: str) -> None:
    for given in (named, named | {"key", "client_id"}):
        with site.db() as db:
            plan = plan_of(db, listing._statement(frozenset(given)))
        assert index in plan
        check_sorts_nothing(plan)


def test_each_client_comes_once_and_the_oldest_first_however_many_there_are(site: Site) -> None:
    first, deleted = (make_client(site, "web") for _ in range(2))
    with site.db() as db:
        metadata = clients.load(db, first.client_id).metadata.to_document()
        db.session.execute(
            update(clients.ClientRow)
            .where(clients.ClientRow.client_id == deleted.client_id)
            .values(deleted_at=site.clock.now)
        )
        db.session.add_all(
            clients.ClientRow(
                client_id=f"client {number:04}",
                revision=1,
                type="web",
                client_metadata=metadata,
                created_at=site.clock.now + timedelta(seconds=number // 300),
                disabled_at=site.clock.now if number % 2 else None,
            )
            for number in range(300, 1000)
        )

    with site.db() as db:
        found = list(clients.each_client(db))
        plan = plan_of(db, reading._NEXT)

    names = [client.client_id for client in found]
    assert names == [first.client_id, *(f"client {number:04}" for number in range(300, 1000))]
    assert found[0].newest_secret_at == site.clock.now
    assert found[1].newest_secret_at is None
    assert "ix_clients_created_at_client_id" in plan
    check_sorts_nothing(plan)


def test_a_list_of_clients_looks_at_a_limited_number_and_says_where_to_go_on(site: Site) -> None:
    needle = make_client(site, "service", client_name="Till 0").client_id
    with site.db() as db:
        metadata = clients.load(db, needle).metadata.to_document()
        db.session.add_all(
            clients.ClientRow(
                client_id=f"client {number}",
                revision=1,
                type="web",
                client_metadata=metadata,
                canonical_name=f"till {number:04}",
                created_at=site.clock.now + timedelta(seconds=number),
            )
            for number in range(1, 1200)
        )
    wanted = Wanted(type="service")

    with site.db() as db:
        first = clients.page(db, wanted, 10)
        second = clients.page(db, wanted, 10, first.next)

    assert (first.clients, first.next is not None) == ([], True)
    assert ([one.client_id for one in second.clients], second.next) == ([needle], None)


def check_sorts_nothing(plan: str) -> None:
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
