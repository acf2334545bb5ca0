"""Lists of clients, sessions and grants: a page reads an index in its order, and sorts nothing."""

from datetime import timedelta

import pytest

from oidc_server.domain import access_given, clients
from oidc_server.domain.clients import Wanted, listing
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
    key = access_given._grants.c.grant_id

    for given in (named, named | {"before"}):
        with site.db() as db:
            plan = plan_of(db, access_given._page(access_given._grant, key, frozenset(given)))
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
    key = access_given._sessions.c.id

    for given in (named, named | {"before"}):
        with site.db() as db:
            plan = plan_of(db, access_given._page(access_given._session, key, frozenset(given)))
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
