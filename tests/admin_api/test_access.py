"""Sessions and grants of others over the wire: seen, ended, and by whom not."""

import uuid
from typing import Any

import pytest

from oidc_server.domain import roles
from oidc_server.oauth2.vocabulary import TWO_FACTOR_ACR
from tests.authentication.forms import new_browser
from tests.browser import Browser
from tests.callers import Callers, make_callers
from tests.factories import make_client, make_user
from tests.factors import add_authenticator
from tests.relying_party import RelyingParty
from tests.site import Site

SCOPE = "sessions:read sessions:write grants:read grants:write audit:read"


@pytest.fixture
def api(site: Site) -> Callers:
    return make_callers(site, SCOPE)


def listed(api: Callers, kind: str, caller: str = "administrator", **query: Any) -> Any:
    answer = api.call("GET", f"/api/v1/admin/{kind}", caller, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def last_event(api: Callers) -> dict[str, Any]:
    told: dict[str, Any] = listed(api, "audit-events", limit=1)["events"][0]
    return told


def test_a_session_is_seen_and_ended_and_nothing_of_it_works_any_more(api: Callers) -> None:
    site, other = api.site, api.people["other"]
    party, browser = RelyingParty(site, make_client(site)), Browser(site.browser(), site.issuer)
    site.clock.advance(1)
    tokens = party.redeem(party.authorize(browser, other).code).json()
    site.clock.advance(1)

    newest = listed(api, "sessions", user_id=other.id)["sessions"][0]
    ended = api.call("DELETE", f"/api/v1/admin/sessions/{newest['id']}", "administrator")
    again = api.call("DELETE", f"/api/v1/admin/sessions/{newest['id']}", "administrator")

    assert newest["user_id"] == other.id
    assert newest["amr"] == ["pwd"]
    assert newest["user_agent"]
    assert "sid" not in newest
    assert (ended.status_code, again.status_code) == (204, 404)
    assert newest["id"] not in [
        session["id"] for session in listed(api, "sessions", user_id=other.id)["sessions"]
    ]
    assert 'id="sign-in"' in browser.go("/account").text
    assert party.refresh(tokens["refresh_token"]).status_code == 400
    event = last_event(api)
    assert (event["event"], event["user_id"]) == ("session.ended", other.id)
    assert event["detail"] == {"session_id": newest["id"]}
    assert event["actor"]["user_id"] == api.id_of("administrator")


def test_a_grant_is_seen_and_revoked_and_its_tokens_are_dead(api: Callers) -> None:
    site, other = api.site, api.people["other"]
    party, browser = RelyingParty(site, make_client(site)), Browser(site.browser(), site.issuer)
    tokens = party.redeem(party.authorize(browser, other).code).json()
    of_both = {"user_id": other.id, "client_id": party.app.client_id}
    site.clock.advance(1)

    [grant] = listed(api, "grants", **of_both)["grants"]
    of_client = listed(api, "grants", client_id=party.app.client_id)["grants"]
    revoked = api.call("DELETE", f"/api/v1/admin/grants/{grant['grant_id']}", "service")
    again = api.call("DELETE", f"/api/v1/admin/grants/{grant['grant_id']}", "service")

    assert of_client == [grant]
    assert (grant["user_id"], grant["client_id"]) == (other.id, party.app.client_id)
    assert "openid" in grant["scopes"]
    assert (revoked.status_code, again.status_code) == (204, 404)
    assert listed(api, "grants", **of_both)["grants"] == []
    assert party.refresh(tokens["refresh_token"]).status_code == 400
    assert party.userinfo(tokens["access_token"]).status_code == 401
    event = last_event(api)
    assert (event["event"], event["actor"]["kind"]) == ("grant.revoked", "client")
    assert event["detail"] == {"grant_id": grant["grant_id"]}


def test_lists_come_in_pages(api: Callers) -> None:
    site, other = api.site, api.people["other"]
    party = RelyingParty(site, make_client(site))
    for _ in range(4):
        site.clock.advance(1)
        party.authorize(Browser(site.browser(), site.issuer), other)

    for kind, key in (("sessions", "id"), ("grants", "grant_id")):
        for whose in ({"user_id": other.id}, {}):
            everything = [row[key] for row in listed(api, kind, **whose)[kind]]
            found: list[str] = []
            cursor: dict[str, str] = {}
            while True:
                page = listed(api, kind, limit=2, **whose, **cursor)
                found += [row[key] for row in page[kind]]
                if page["next_cursor"] is None:
                    break
                cursor = {"cursor": page["next_cursor"]}
            assert found == everything == sorted(set(everything), reverse=True)
            assert len(found) >= 4


def test_without_a_name_everybodys_are_listed(api: Callers) -> None:
    whose = {session["user_id"] for session in listed(api, "sessions")["sessions"]}

    assert {api.id_of("administrator"), api.id_of("other")} <= whose


def test_who_may_less_ends_nothing_of_who_may_more(api: Callers) -> None:
    paths = {}
    for name in ("administrator", "other"):
        [session, *_] = listed(api, "sessions", "moderator", user_id=api.id_of(name))["sessions"]
        paths[name] = f"/api/v1/admin/sessions/{session['id']}"

    assert api.call("DELETE", paths["administrator"], "moderator").status_code == 403
    assert api.call("DELETE", paths["other"], "moderator").status_code == 204
    assert api.call("DELETE", paths["administrator"], "administrator").status_code == 204


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("sessions", 200),
        ("sessions?user_id=me", 422),
        ("grants", 200),
        ("grants?user_id=me", 422),
        ("grants?client_id=nobody", 200),
        ("grants?client_id=nobody&cursor=WyJub25lIl0", 400),
        (f"sessions?user_id={uuid.UUID(int=1)}", 200),
        (f"sessions?user_id={uuid.UUID(int=1)}&limit=0", 422),
    ],
)
def test_what_cannot_be_asked_is_refused(api: Callers, path: str, status: int) -> None:
    assert api.call("GET", f"/api/v1/admin/{path}", "administrator").status_code == status


@pytest.mark.parametrize("kind", ["sessions", "grants"])
@pytest.mark.parametrize("named", ["nonsense", str(uuid.UUID(int=1))])
def test_what_is_not_there_cannot_be_ended(api: Callers, kind: str, named: str) -> None:
    answer = api.call("DELETE", f"/api/v1/admin/{kind}/{named}", "administrator")

    assert answer.status_code == 404


def test_a_sign_in_from_before_a_factor_was_required_acts_on_nobody(start_site: Any) -> None:
    site = start_site(second_factor="admins")
    person, browser = make_user(site), new_browser(site)
    client = make_client(site, scopes=["openid", "sessions:read"], skip_consent=True)
    party = RelyingParty(site, client)
    answer = party.authorize(browser, person, scope="openid sessions:read")
    refresh_token = party.redeem(answer.code).json()["refresh_token"]
    with site.db() as db:
        roles.assign(db, person.id, roles.ADMIN, site.clock.now)
    app = add_authenticator(site, person)

    weak = party.refresh(refresh_token).json()
    refused = sessions_with(site, weak["access_token"])
    page = browser.go(party.url(scope="openid sessions:read"))
    strong = party.redeem(party.read(browser.send(page, code=app.code())).code).json()
    told = sessions_with(site, strong["access_token"])

    assert "sessions:read" in weak["scope"]
    assert refused.status_code == 401
    assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]
    assert f'acr_values="{TWO_FACTOR_ACR}"' in refused.headers["www-authenticate"]
    assert refused.json()["acr_values"] == TWO_FACTOR_ACR
    assert told.status_code == 200


def sessions_with(site: Site, token: str) -> Any:
    headers = {"authorization": f"Bearer {token}"}
    return site.http.get("/api/v1/admin/sessions", headers=headers)
