"""People over the wire: found, listed, changed; and whom nobody may touch."""

from typing import Any

import pytest
from httpx2 import Response

from oidc_server.domain import endings, factors, passkeys, roles, user_sessions, users
from oidc_server.domain.audit import AuditEvent
from tests.authentication.test_passkey_login import enrolled
from tests.authenticator import UP, Authenticator
from tests.browser import Browser
from tests.callers import Callers, make_callers, token_of
from tests.factories import PASSWORD, make_client, make_user
from tests.held_up import held_up
from tests.mails import link_in, read_mails
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import row_counts

PATH = "/api/v1/admin/users"
SCOPE = "users:read users:write users:disable sessions:write roles:read roles:write"
ZOE = {"username": "zoe", "email": "zoe@example.com", "password": PASSWORD}
NOBODY = "0193b1d2-0000-4000-8000-000000000000"


@pytest.fixture
def api(site: Site) -> Callers:
    return make_callers(site, SCOPE)


def send(
    api: Callers, method: str, path: str = "", caller: str = "administrator", **options: Any
) -> Response:
    return api.call(method, PATH + path, caller, **options)


def change(api: Callers, who: str, caller: str = "administrator", /, **body: Any) -> Response:
    return send(api, "PATCH", f"/{api.id_of(who)}", caller, json=body)


def state(api: Callers, name: str) -> dict[str, Any]:
    told: dict[str, Any] = send(api, "GET", f"/{api.id_of(name)}").json()
    return told


def names(api: Callers, caller: str = "administrator", **query: Any) -> list[str]:
    answer = send(api, "GET", caller=caller, params=query)
    assert answer.status_code == 200, answer.text
    return [user["username"] for user in answer.json()["users"]]


def last_event(api: Callers) -> AuditEvent:
    with api.site.db() as db:
        found = db.session.query(AuditEvent).all()
        return next(event for event in found if event.actor_client_id is not None)


def can_sign_in(api: Callers, username: str, password: str = PASSWORD) -> bool:
    browser = Browser(api.site.browser(), api.site.issuer)
    answer = browser.send(browser.go("/login"), username=username, password=password)
    return answer.status_code == 200 and "/account" in str(answer.url)


def live_sessions(api: Callers, name: str) -> int:
    with api.site.db() as db:
        return len(user_sessions.live_of_user(db, api.id_of(name)))


def ask_userinfo(api: Callers, token: str) -> int:
    answer = api.site.http.get("/userinfo", headers={"authorization": f"Bearer {token}"})
    return answer.status_code


def test_a_user_is_made_with_all_that_is_known_of_them(api: Callers) -> None:
    answer = send(
        api,
        "POST",
        json={
            **ZOE,
            "email_verified": True,
            "name": "Zoë",
            "birthdate": "1990-02-03",
            "phone_number": "+1 604 555 1234",
            "address": {"country": "CH"},
            "roles": ["moderator"],
        },
    )

    told = answer.json()
    assert answer.status_code == 201
    assert (told["username"], told["email"], told["email_verified"]) == (
        "zoe",
        "zoe@example.com",
        True,
    )
    assert (told["name"], told["birthdate"], told["address"]) == (
        "Zoë",
        "1990-02-03",
        {"country": "CH"},
    )
    assert told["roles"] == ["moderator", "user"]
    assert told["has_password"]
    assert "password" not in told
    assert can_sign_in(api, "zoe")
    assert last_event(api).user_id == told["id"]


def test_a_user_without_a_password_chooses_one_through_a_mail(api: Callers) -> None:
    told = send(
        api, "POST", json={"username": "zoe", "email": "zoe@example.com", "email_verified": True}
    ).json()

    assert not told["has_password"]
    [mail] = [mail for mail in read_mails(api.site) if mail.to == "zoe@example.com"]
    assert link_in(mail).startswith("/password-reset/new?link=")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({**ZOE, "username": "other person"}, 422, "username"),
        ({**ZOE, "email": "nowhere"}, 422, "email"),
        ({**ZOE, "password": "zoe"}, 422, "password"),
        ({**ZOE, "password": "password1"}, 422, "password"),
        ({**ZOE, "birthdate": "yesterday"}, 422, "birthdate"),
        ({**ZOE, "is_admin": True}, 422, "is_admin"),
        ({**ZOE, "id": NOBODY}, 422, "id"),
        ({**ZOE, "disabled": True}, 422, "disabled"),
        ({**ZOE, "roles": ["nothing"]}, 404, None),
    ],
)
def test_a_user_that_cannot_be_is_refused_and_leaves_nothing(
    api: Callers, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = send(api, "POST", json=body)

    assert answer.status_code == status, answer.text
    if field is not None:
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert send(api, "GET", "/zoe").status_code == 404


def test_everything_that_is_wrong_with_a_user_is_told_at_once(api: Callers) -> None:
    wrong = {"username": "a b", "email": "nowhere", "password": "zoe", "zoneinfo": "Moon/Sea"}

    answer = send(api, "POST", json={**ZOE, **wrong})

    assert answer.status_code == 422
    assert sorted(error["field"] for error in answer.json()["errors"]) == sorted(wrong)


def test_a_taken_username_or_verified_address_is_a_conflict(api: Callers) -> None:
    person = api.people["person"]

    name = send(api, "POST", json={**ZOE, "username": person.username.upper()})
    address = send(api, "POST", json={**ZOE, "email": person.email, "email_verified": True})
    unverified = send(api, "POST", json={**ZOE, "email": person.email})

    assert (name.status_code, address.status_code, unverified.status_code) == (409, 409, 201)
    assert change(api, "person", username="zoe").status_code == 409


def test_a_user_is_found_by_id_by_username_and_by_verified_address(api: Callers) -> None:
    person = api.people["person"]

    for named in (person.id, person.username, person.username.upper(), person.email):
        assert send(api, "GET", f"/{named}").json()["id"] == person.id
    for named in (NOBODY, "nobody", "nobody@example.com", "a%2Fb", "%20"):
        assert send(api, "GET", f"/{named}").status_code == 404


def test_what_is_named_changes_and_the_rest_stays(api: Callers) -> None:
    change(api, "person", nickname="Pat", website="https://pat.example.net")
    before = state(api, "person")
    api.site.clock.advance(60)

    answer = change(api, "person", username="Pat", nickname=None, name="Pat Lee")

    assert answer.json() == {
        **before,
        "username": "Pat",
        "nickname": None,
        "name": "Pat Lee",
        "updated_at": "2026-01-05T09:01:00Z",
    }
    assert can_sign_in(api, "pat")
    assert not can_sign_in(api, api.people["person"].username)


def test_a_change_of_the_owner_is_not_undone_by_one_that_names_no_address(api: Callers) -> None:
    user_id = api.id_of("person")
    with api.site.db() as db:
        assert users.set_email(db, user_id, "own@example.com", api.site.clock.now)
        verifying = held_up(lambda: change(api, "person", email_verified=True))

    assert verifying().json()["email"] == "own@example.com"


def test_another_address_is_unverified_unless_it_is_said(api: Callers) -> None:
    told = change(api, "person", email="new@example.com").json()
    verified = change(api, "person", email_verified=True).json()
    kept = change(api, "person", name="Pat").json()
    taken = change(api, "other", email="new@example.com", email_verified=True)
    removed = change(api, "person", email=None).json()

    assert (told["email"], told["email_verified"]) == ("new@example.com", False)
    assert verified["email_verified"]
    assert kept["email_verified"]
    assert taken.status_code == 409
    assert (removed["email"], removed["email_verified"]) == (None, False)


def test_the_audit_log_says_what_was_and_what_is(api: Callers) -> None:
    was = state(api, "person")
    change(api, "person", name="Pat", username="pat")

    event = last_event(api)

    assert event.event == "user.edited"
    assert event.user_id == api.id_of("person")
    assert event.actor_user_id == api.id_of("administrator")
    assert event.before == {"name": was["name"], "username": was["username"]}
    assert event.after == {"name": "Pat", "username": "pat"}


def test_a_change_that_changes_nothing_is_no_event(api: Callers) -> None:
    change(api, "person", name="Pat")
    written = row_counts(api.site)

    again = [change(api, "person", name="Pat"), change(api, "person")]

    assert [answer.status_code for answer in again] == [200, 200]
    assert row_counts(api.site) == written


def test_a_disabled_user_is_out_at_once_until_enabled(api: Callers) -> None:
    token = api.tokens["person"]

    disabled = send(api, "POST", f"/{api.id_of('person')}/disable")

    assert disabled.json()["disabled"]
    assert ask_userinfo(api, token) == 401
    assert not can_sign_in(api, api.people["person"].username)
    assert live_sessions(api, "person") == 0
    enabled = send(api, "POST", f"/{api.id_of('person')}/enable")
    assert not enabled.json()["disabled"]
    assert can_sign_in(api, api.people["person"].username)
    assert ask_userinfo(api, token) == 401


def test_it_is_an_event_once_that_somebody_is_shut_out_who_could_have_come_back(
    api: Callers,
) -> None:
    """Who wants their account deleted may sign in and keep it, until somebody disables it."""
    grace = api.site.runtime.settings.account_deletion_grace
    with api.site.db() as db:
        endings.schedule_deletion(db, api.id_of("person"), api.site.clock.now, grace=grace)

    answers = [send(api, "POST", f"/{api.id_of('person')}/disable") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert not can_sign_in(api, api.people["person"].username)
    with api.site.db() as db:
        events = [event.event for event in db.session.query(AuditEvent).all()]
    assert events.count("user.disabled") == 1


def test_a_deleted_user_is_gone_and_the_id_leads_nowhere(api: Callers) -> None:
    person = api.people["person"]

    deleted = send(api, "DELETE", f"/{person.id}")

    assert deleted.status_code == 204
    assert not can_sign_in(api, person.username)
    assert {send(api, "GET", f"/{n}").status_code for n in (person.id, person.username)} == {404}
    assert send(api, "DELETE", f"/{person.id}").status_code == 404
    assert len(names(api)) == 3
    assert names(api, disabled="true") == []
    assert last_event(api).user_id == person.id


def test_the_owner_is_told_when_an_account_is_shut_and_opened(api: Callers) -> None:
    path = f"/{api.id_of('person')}"
    read_mails(api.site)

    for _ in range(2):
        send(api, "POST", f"{path}/disable")
    for _ in range(2):
        send(api, "POST", f"{path}/enable")

    told = [(mail.to, mail.subject) for mail in read_mails(api.site)]
    address = api.people["person"].email
    assert told == [
        (address, "Your ID: Your account is closed"),
        (address, "Your ID: Your account is open again"),
    ]


def test_a_password_that_is_set_closes_what_the_old_one_opened(api: Callers) -> None:
    answer = send(
        api,
        "PUT",
        f"/{api.id_of('person')}/password",
        json={"password": "another long passphrase"},
    )
    weak = send(api, "PUT", f"/{api.id_of('person')}/password", json={"password": "1234"})

    assert (answer.status_code, weak.status_code) == (204, 422)
    assert live_sessions(api, "person") == 0
    assert not can_sign_in(api, api.people["person"].username)
    assert can_sign_in(api, api.people["person"].username, "another long passphrase")


def test_a_password_that_is_reset_is_worthless_at_once(api: Callers) -> None:
    answer = send(api, "POST", f"/{api.id_of('person')}/password-reset")

    assert answer.status_code == 202
    assert live_sessions(api, "person") == 0
    assert not state(api, "person")["has_password"]
    assert not can_sign_in(api, api.people["person"].username)


def test_a_password_is_not_reset_where_no_mail_arrives(api: Callers) -> None:
    change(api, "person", email_verified=False)

    assert send(api, "POST", f"/{api.id_of('person')}/password-reset").status_code == 409
    assert state(api, "person")["has_password"]


def test_sessions_and_factors_go_when_an_administrator_says_so(api: Callers) -> None:
    with api.site.db() as db:
        factors.add_mailed_codes(db, api.id_of("person"), api.site.clock.now)

    sessions = send(api, "DELETE", f"/{api.id_of('person')}/sessions", "moderator")
    reset = send(api, "DELETE", f"/{api.id_of('person')}/factors")

    assert (sessions.status_code, reset.status_code) == (204, 204)
    assert live_sessions(api, "person") == 0
    with api.site.db() as db:
        assert factors.list_factors(db, api.id_of("person")) == []


def test_roles_are_given_and_taken(api: Callers) -> None:
    moderator = f"/{api.id_of('person')}/roles/moderator"

    assert send(api, "PUT", moderator).status_code == 204
    assert send(api, "PUT", moderator).status_code == 204
    assert state(api, "person")["roles"] == ["moderator", "user"]
    assert send(api, "DELETE", moderator).status_code == 204
    assert send(api, "DELETE", moderator).status_code == 404
    assert send(api, "PUT", f"/{api.id_of('person')}/roles/nothing").status_code == 404
    assert send(api, "DELETE", f"/{api.id_of('person')}/roles/user").status_code == 409


def everything_done_to(api: Callers, user_id: str, caller: str) -> set[int]:
    """The statuses of all that can be done to somebody."""
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", "", {"json": {"name": "X"}}),
        ("POST", "/disable", {}),
        ("POST", "/enable", {}),
        ("PUT", "/password", {"json": {"password": "another long passphrase"}}),
        ("POST", "/password-reset", {}),
        ("DELETE", "/factors", {}),
        ("DELETE", "/sessions", {}),
        ("DELETE", "", {}),
        ("PUT", "/roles/moderator", {}),
        ("DELETE", "/roles/admin", {}),
    ]
    return {
        send(api, method, f"/{user_id}{path}", caller, **options).status_code
        for method, path, options in calls
    }


def test_an_administrator_does_nothing_to_themselves_here(api: Callers) -> None:
    assert everything_done_to(api, api.id_of("administrator"), "administrator") == {403}
    assert not state(api, "administrator")["disabled"]


def test_nobody_touches_who_may_more(api: Callers) -> None:
    api.call(
        "POST",
        "/api/v1/admin/roles",
        "administrator",
        json={"name": "keeper", "scopes": SCOPE.split()},
    )
    api.give_role("other", "keeper")

    assert everything_done_to(api, api.id_of("administrator"), "other") == {403}
    assert everything_done_to(api, api.id_of("other"), "moderator") == {403}
    assert send(api, "POST", f"/{api.id_of('person')}/disable", "other").status_code == 200
    given = send(api, "PUT", f"/{api.id_of('person')}/roles/admin", "other")
    made = send(api, "POST", "", "other", json={**ZOE, "roles": ["admin"]})
    assert (given.status_code, made.status_code) == (403, 403)


def test_a_moderator_looks_after_people_and_no_more(api: Callers) -> None:
    person = f"/{api.id_of('person')}"

    assert send(api, "GET", person, "moderator").status_code == 200
    assert send(api, "POST", f"{person}/disable", "moderator").status_code == 200
    assert change(api, "person", "moderator", name="X").status_code == 403
    assert send(api, "PUT", f"{person}/roles/moderator", "moderator").status_code == 403


def test_a_service_cannot_remove_the_last_administrator(api: Callers) -> None:
    administrator = f"/{api.id_of('administrator')}"

    assert send(api, "POST", f"{administrator}/disable", "service").status_code == 409
    assert send(api, "DELETE", f"{administrator}/roles/admin", "service").status_code == 409
    assert send(api, "DELETE", administrator, "service").status_code == 409
    assert not state(api, "administrator")["disabled"]
    with api.site.db() as db:
        roles.assign(db, api.id_of("other"), roles.ADMIN, api.site.clock.now)
    assert send(api, "POST", f"{administrator}/disable", "service").status_code == 200


def statuses_of_ways_in(api: Callers, name: str, caller: str) -> set[int]:
    """Those of all that lets whoever does it sign in as somebody."""
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", "/password", {"json": {"password": "another long passphrase"}}),
        ("DELETE", "/factors", {}),
        ("PATCH", "", {"json": {"email": f"{name}-2@example.com"}}),
        ("PATCH", "", {"json": {"email_verified": True}}),
        ("PATCH", "", {"json": {"username": f"{name}-2"}}),
    ]
    return {
        send(api, method, f"/{api.id_of(name)}{path}", caller, **options).status_code
        for method, path, options in calls
    }


def test_a_service_opens_no_account_that_may_more_than_its_token(api: Callers) -> None:
    scopes = [*SCOPE.split(), "sessions:read", "credits:read"]
    service = RelyingParty(api.site, make_client(api.site, "service", scopes=scopes))

    def holding(scope: str) -> str:
        told = service.token(grant_type="client_credentials", scope=scope).json()
        api.tokens[scope] = told["access_token"]
        return scope

    writer = holding("users:write")
    looks_after = holding(
        "users:read users:write users:disable sessions:read sessions:write credits:read"
    )
    gives_roles = holding("users:write roles:write")

    assert statuses_of_ways_in(api, "administrator", writer) == {403}
    assert statuses_of_ways_in(api, "administrator", looks_after) == {403}
    assert statuses_of_ways_in(api, "moderator", writer) == {403}
    assert can_sign_in(api, api.people["administrator"].username)
    assert change(api, "administrator", writer, name="Ada").status_code == 200
    assert statuses_of_ways_in(api, "person", writer) == {200, 204}
    assert statuses_of_ways_in(api, "moderator", looks_after) == {200, 204}
    assert statuses_of_ways_in(api, "administrator", gives_roles) == {200, 204}


def test_people_are_listed_by_name_and_each_once(api: Callers) -> None:
    for name in ("Zora", "älter", "zo", "anna"):
        make_user(api.site, username=name)
    everybody = names(api, limit=200)

    paged, cursor = [], None
    while True:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        told = send(api, "GET", params=query).json()
        paged += [user["username"] for user in told["users"]]
        cursor = told["next_cursor"]
        if cursor is None:
            break

    assert paged == everybody
    assert sorted(everybody, key=str.lower) == everybody
    assert len(everybody) == 8


def test_people_are_found_by_the_beginning_of_a_name_or_an_address(api: Callers) -> None:
    make_user(api.site, username="zoe", email="ann@x.example")
    make_user(api.site, username="ann", email="ann.lee@x.example")
    make_user(api.site, username="Anna", email="zoe@x.example")
    make_user(api.site, username="bob", email="bob@x.example")

    assert names(api, search="AN") == ["ann", "Anna", "zoe"]
    assert names(api, search="zoe") == ["zoe", "Anna"]
    assert names(api, search="ann@") == ["zoe"]
    assert names(api, search="nn") == []
    assert names(api, search="_") == names(api, search="%") == []
    first = send(api, "GET", params={"search": "an", "limit": 2}).json()
    rest = names(api, search="an", limit=2, cursor=first["next_cursor"])
    assert [user["username"] for user in first["users"]] + rest == ["ann", "Anna", "zoe"]


def test_people_are_filtered_by_role_and_state(api: Callers) -> None:
    make_user(api.site, username="unsure", email="unsure@x.example", email_verified=False)
    send(api, "POST", f"/{api.id_of('person')}/disable")
    person, moderator = api.people["person"].username, api.people["moderator"].username

    assert names(api, disabled="true") == [person]
    assert person not in names(api, disabled="false")
    assert names(api, verified="false") == ["unsure"]
    assert "unsure" not in names(api, verified="true")
    assert names(api, role="moderator") == [moderator]
    assert names(api, role="moderator", disabled="true") == []
    assert names(api, role="moderator", search=moderator[:3]) == [moderator]
    assert names(api, role="moderator", search="zzz") == []
    assert len(names(api, role="user")) == 5
    assert names(api, role="nothing") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=201", 422),
        ("limit=5.0", 422),
        ("limit=1_0", 422),
        ("limit=%2B5", 422),
        ("limit=%205", 422),
        ("limit=%D9%A5", 422),
        ("disabled=maybe", 422),
        ("disabled=1", 422),
        ("search=%0A", 422),
        ("search=%00", 400),
        ("nothing=1", 422),
        ("cursor=nonsense", 400),
        ("cursor=WyJ4IiwieSIsInoiXQ", 400),
        ("cursor=WyJyb2xlIiwiIiwieiJd&role=admin", 400),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api: Callers, query: str, status: int) -> None:
    assert send(api, "GET", f"?{query}").status_code == status


def test_nobody_reads_people_without_scope_and_role(api: Callers) -> None:
    assert send(api, "GET", caller="person").status_code == 403
    assert send(api, "GET", caller="").status_code == 401
    assert send(api, "GET", caller="moderator").status_code == 200


def test_a_new_account_gets_roles_from_whoever_may_give_them_alone(api: Callers) -> None:
    """Else `users:write` would be a way to make administrators."""
    site, scope = api.site, "users:read users:write"
    service = RelyingParty(site, make_client(site, "service", scopes=scope.split()))
    granted = service.token(grant_type="client_credentials", scope=scope).json()
    administrator = api.people["administrator"]
    api.tokens["narrow administrator"] = token_of(site, api.party, administrator, f"openid {scope}")
    api.tokens["narrow service"] = granted["access_token"]

    for caller in ("narrow administrator", "narrow service"):
        refused = send(api, "POST", caller=caller, json={**ZOE, "roles": ["admin"]})
        assert refused.status_code == 403, refused.text
    assert "zoe" not in names(api)
    assert send(api, "POST", caller="narrow service", json=ZOE).status_code == 201


def test_a_lost_key_is_asked_for_no_more_and_a_passkey_that_opens_alone_stays(
    api: Callers,
) -> None:
    site, person = api.site, api.people["person"]
    enrolled(site, person, Authenticator(flags=UP, transports=("usb",)))
    opens = enrolled(site, person)

    assert send(api, "DELETE", f"/{person.id}/factors").status_code == 204

    assert last_event(api).detail["factors"] == ["asked_passkey"]
    assert can_sign_in(api, person.username)
    with site.db() as db:
        left = [one.credential_id for one in passkeys.list_of_user(db, person.id)]
    assert left == [opens.credential_id]


def test_nothing_is_done_to_somebody_who_is_deleted(api: Callers) -> None:
    user_id = api.id_of("person")
    with api.site.db() as db:
        endings.delete_user(db, user_id, api.site.clock.now)

    for method, path, body in (
        ("PATCH", "", {"username": "again", "email": "again@example.com", "email_verified": True}),
        ("PUT", "/password", {"password": PASSWORD}),
        ("PUT", "/roles/admin", None),
        ("POST", "/enable", None),
    ):
        options: dict[str, Any] = {} if body is None else {"json": body}
        assert send(api, method, f"/{user_id}{path}", **options).status_code == 404, path
    assert send(api, "GET", f"/{user_id}").status_code == 404
    with api.site.db() as db:
        assert users.get(db, user_id).disabled_at is not None


@pytest.mark.parametrize("how", ["role", "account"])
def test_nobody_gives_a_role_that_is_being_taken_from_them(api: Callers, how: str) -> None:
    giver, friend, other = api.people["administrator"], make_user(api.site), make_user(api.site)
    of_friend = f"/api/v1/admin/users/{friend.id}/roles/admin"
    with api.site.db() as db:
        roles.assign(db, other.id, roles.ADMIN, api.site.clock.now)

    with api.site.db() as db:
        if how == "role":
            endings.withdraw_role(db, giver.id, roles.ADMIN)
        else:
            endings.disable_user(db, giver.id, api.site.clock.now)
        db.flush()
        giving = held_up(lambda: api.call("PUT", of_friend, "administrator"))
    answer = giving()

    assert answer.status_code in (401, 403)
    with api.site.db() as db:
        assert roles.roles_of(db, friend.id) == {roles.USER}
