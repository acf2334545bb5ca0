"""What is put back is what the wire gave."""

from typing import Any

from sqlalchemy import select

from oidc_server.domain.base import new_id
from tests.relying_party import signed_in
from tests.site import TABLES, Site


def everything(site: Site) -> dict[str, list[dict[str, Any]]]:
    """Every row, by table."""
    with site.db() as db:
        return {
            table.name: [
                dict(row)
                for row in db.session.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in TABLES
        }


def test_a_sign_in_that_is_put_back_cannot_be_told_from_the_first(site: Site) -> None:
    new = {"client_name": "Known to this test alone"}
    party, browser, person, tokens = signed_in(site, **new)
    rows, cookies = everything(site), dict(browser.client.cookies)
    browser.client.cookies.clear()
    tokens.clear()
    site.clean()

    again, browser, who, tokens = signed_in(site, **new)

    assert everything(site) == rows
    assert all(rows[name] for name in ("grants", "user_sessions", "audit_events"))
    assert dict(browser.client.cookies) == cookies
    assert (who, vars(again)) == (person, vars(party))
    assert again.userinfo(tokens["access_token"]).json()["sub"] == person.id
    assert again.refresh(tokens["refresh_token"]).status_code == 200
    assert again.read(browser.go(again.url(prompt="none"))).code


def test_what_comes_after_it_sorts_after_it(site: Site) -> None:
    new = {"client_name": "Known to this test too"}
    signed_in(site, **new)

    for _ in range(5):
        site.clean()
        new_id(site.clock.now.replace(year=2030))  # as after a test that moved the clock
        signed_in(site, **new)

        rows = everything(site)
        ids = [row["grant_id"] for row in rows["grants"]] + [
            row["id"] for row in rows["audit_events"]
        ]
        assert new_id(site.clock.now) > max(ids)


def test_it_is_done_anew_where_something_was_done(site: Site) -> None:
    _, _, first, _ = signed_in(site)
    _, _, second, _ = signed_in(site)
    site.clean()
    site.clock.advance(1)
    _, _, later, _ = signed_in(site)

    assert len({first.id, second.id, later.id}) == 3
