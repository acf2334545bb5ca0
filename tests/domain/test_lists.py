"""Lists of clients, sessions and grants: a page reads an index in its order, and sorts nothing."""

import pytest

from oidc_server.domain import access_given
from oidc_server.domain.clients import reading
from tests.domain.plans import plan_of
from tests.site import Site


@pytest.mark.parametrize(
    ("named", "index"),
    [
        ({"user_id"}, "ix_grants_user_id_grant_id"),
        ({"client_id"}, "ix_grants_client_id_grant_id"),
        (set(), "grants"),
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


def test_clients_are_read_in_the_order_of_an_index(site: Site) -> None:
    for given in (set(), {"created_at", "client_id"}):
        with site.db() as db:
            plan = plan_of(db, reading._page(frozenset(given)))
        assert "ix_clients_created_at_client_id" in plan
        check_sorts_nothing(plan)


def test_sessions_of_everybody_are_read_in_the_order_of_their_ids(site: Site) -> None:
    key = access_given._sessions.c.id

    with site.db() as db:
        plan = plan_of(db, access_given._page(access_given._session, key, frozenset({"before"})))

    check_sorts_nothing(plan)


def check_sorts_nothing(plan: str) -> None:
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
