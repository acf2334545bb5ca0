"""One's own account over the API: what it tells and changes, and what it asks for before."""

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select

from oidc_server.domain import consents, credentials, invitations, roles, users
from oidc_server.domain.audit import AuditEvent
from oidc_server.domain.links import Purpose
from oidc_server.oauth2.vocabulary import TWO_FACTOR_ACR
from tests.authentication.forms import new_browser, sign_in
from tests.authentication.test_passkey_login import enrolled
from tests.callers import Callers, make_callers, token_of
from tests.factories import PASSWORD, make_client
from tests.factors import add_authenticator
from tests.mails import link_in, read_mails
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import row_counts

ME = "/api/v1/me"
NEW = "another passphrase altogether"
SIGN_UP = {"username": "zoe", "email": "zoe@example.com", "password": NEW}
PROOF = {"current_password": PASSWORD}
GUARDED = [
    ("DELETE", ME, {}),
    ("PUT", f"{ME}/password", {"password": NEW}),
    ("PUT", f"{ME}/email", {"email": "new@example.com"}),
]


@pytest.fixture
def api(site: Site) -> Callers:
    callers = make_callers(site, "account:read account:write")
    read_mails(site)  # of the second browser of somebody
    return callers


def me(api: Callers, caller: str = "person") -> dict[str, Any]:
    answer = api.call("GET", ME, caller)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def post(api: Callers, path: str, caller: str = "", **body: Any) -> Response:
    return api.call("POST", f"/api/v1/{path}", caller, json=body)


def wrong_fields(answer: Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


def value_of(mail: Any) -> str:
    return link_in(mail).partition("link=")[2]


def code_of(mail: Any) -> str:
    found = re.search(r"^\d{4} \d{4}$", mail.text, re.MULTILINE)
    assert found is not None
    return found[0]


def without_password(api: Callers, name: str = "person") -> None:
    with api.site.db() as db:
        credentials.set_password(db, api.id_of(name), None, api.site.clock.now)


def token_of_code(api: Callers, code: str) -> str:
    token: str = api.party.redeem(code).json()["access_token"]
    return token


def test_an_account_is_made_and_told(api: Callers) -> None:
    answer = post(api, "users", **SIGN_UP, given_name="Zoë", phone_number="+1 604 555 1234")

    told = answer.json()
    assert answer.status_code == 201, answer.text
    assert (told["username"], told["email"], told["email_verified"]) == (
        "zoe",
        "zoe@example.com",
        False,
    )
    assert (told["given_name"], told["phone_number"]) == ("Zoë", "+1 604 555 1234")
    assert NEW not in answer.text
    (mail,) = read_mails(api.site)
    assert mail.to == "zoe@example.com"
    assert sign_in(new_browser(api.site), "zoe", NEW).status_code == 303


def test_a_taken_name_is_a_conflict_and_a_known_address_is_told_to_its_owner_alone(
    api: Callers,
) -> None:
    owner = api.people["other"]
    taken = post(api, "users", **{**SIGN_UP, "username": owner.username.upper()})
    known = post(api, "users", **{**SIGN_UP, "email": owner.email})

    assert (taken.status_code, known.status_code) == (409, 201)
    assert known.json()["email"] == owner.email
    (mail,) = read_mails(api.site)
    assert (mail.to, "already" in mail.subject) == (owner.email, True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"username": "a b"}, "username"),
        ({"email": "no address"}, "email"),
        ({"phone_number": "12"}, "phone_number"),
        ({"name": "a\nb"}, "name"),
        ({"email_verified": True}, "email_verified"),
        ({"roles": ["admin"]}, "roles"),
        ({"id": "3f0e9c1a-6f54-4f5e-9c1b-2a7d8e0b4c55"}, "id"),
        ({"username": 5}, "username"),
    ],
    ids=str,
)
def test_what_cannot_be_is_named_and_leaves_nothing(
    api: Callers, change: dict[str, Any], field: str
) -> None:
    before = row_counts(api.site)

    assert wrong_fields(post(api, "users", **{**SIGN_UP, **change})) == [field]
    assert row_counts(api.site) == before


def test_everything_that_is_wrong_with_a_sign_up_is_told_at_once(api: Callers) -> None:
    wrong = {"username": "a b", "email": "nowhere", "password": "zoe", "website": "nowhere"}

    assert sorted(wrong_fields(post(api, "users", **{**SIGN_UP, **wrong}))) == sorted(wrong)


@pytest.mark.parametrize("sign_up", ["invite", "closed"])
def test_nobody_signs_up_where_that_is_not_open(start_site: Any, sign_up: str) -> None:
    site = start_site(sign_up=sign_up)

    answer = site.http.post("/api/v1/users", json=SIGN_UP)

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "not-allowed")
    with site.db() as db:
        assert credentials.find_by_name(db, "zoe") is None


def test_an_invitation_proves_its_own_address_and_none_that_only_reads_like_it(
    start_site: Any,
) -> None:
    """`ß` folds to `ss`, and is another letter in the name of a domain (RFC 5892)."""
    site = start_site(sign_up="invite")
    with site.db() as db:
        invited = invitations.create(
            db,
            email="zoe@fussball.example",
            role=None,
            invited_by=None,
            lifetime=timedelta(days=1),
            now=site.clock.now,
        )
    link = site.runtime.links.sign(Purpose.INVITATION, invited.id)
    sent = {**SIGN_UP, "email": "zoe@fußball.example", "invitation": link}

    site.http.post("/api/v1/users", json=sent)

    with site.db() as db:
        assert credentials.find_by_verified_email(db, "zoe@fußball.example") is None


def test_one_is_told_of_oneself_under_the_name_that_the_client_knows(api: Callers) -> None:
    assert me(api)["id"] == api.id_of("person")

    app = make_client(
        api.site,
        scopes=["openid", "account:read", "account:write"],
        subject_type="pairwise",
    )
    party = RelyingParty(api.site, app)
    api.tokens["pairwise"] = token_of(
        api.site, party, api.people["person"], "openid account:read account:write"
    )
    told = me(api, "pairwise")
    assert told["id"] != api.id_of("person")
    assert api.id_of("person") not in api.call("GET", ME, "pairwise").text
    sessions = [
        {one["id"] for one in api.call("GET", f"{ME}/sessions", name).json()["sessions"]}
        for name in ("person", "pairwise")
    ]
    assert not sessions[0] & sessions[1]


def test_every_standard_claim_is_changed_and_removed(api: Callers) -> None:
    claims = {
        "name": "Ann Lee",
        "given_name": "Ann",
        "family_name": "Lee",
        "middle_name": "B",
        "nickname": "annie",
        "profile": "https://example.com/ann",
        "picture": "https://example.com/ann.png",
        "website": "https://ann.example.com/",
        "gender": "female",
        "birthdate": "1990-02-03",
        "zoneinfo": "Europe/Paris",
        "locale": "fr-FR",
        "phone_number": "+33 1 23 45 67 89",
        "address": {"locality": "Paris", "country": "France"},
    }

    changed = api.call("PATCH", ME, "person", json=claims)
    assert changed.status_code == 200, changed.text
    assert {name: me(api)[name] for name in claims} == claims
    assert me(api)["phone_number_verified"] is False
    api.site.clock.advance(1)
    api.call("PATCH", ME, "person", json={"nickname": None, "address": None, "gender": ""})

    told = me(api)
    assert (told["nickname"], told["address"], told["gender"]) == (None, None, None)
    assert told["name"] == "Ann Lee"
    with api.site.db() as db:
        (first, second) = db.session.scalars(
            select(AuditEvent).where(AuditEvent.event == "user.edited").order_by(AuditEvent.id)
        )
    assert first.actor_user_id == api.id_of("person")
    assert (first.after or {})["locale"] == "fr-FR"
    assert (second.before or {})["nickname"] == "annie"


@pytest.mark.parametrize(
    "body",
    [
        {"email": "x@example.com"},
        {"email_verified": True},
        {"username": "root"},
        {"roles": ["admin"]},
        {"balance": "5.00"},
        {"zoneinfo": "Mars/Base"},
        {"website": "javascript:alert(1)"},
        {"phone_number_verified": True},
    ],
    ids=str,
)
def test_nothing_else_is_changed_that_way(api: Callers, body: dict[str, Any]) -> None:
    before = me(api)

    assert wrong_fields(api.call("PATCH", ME, "person", json=body)) == list(body)
    assert me(api) == before


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
def test_what_would_hurt_needs_the_password(
    api: Callers, method: str, path: str, body: dict[str, Any]
) -> None:
    before = me(api)

    for proof in ({}, {"current_password": None}, {"current_password": "not the right one"}):
        answer = api.call(method, path, "person", json={**body, **proof})
        assert wrong_fields(answer) == ["current_password"]

    assert me(api) == before
    assert read_mails(api.site) == []


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
def test_guesses_are_throttled_like_those_of_the_sign_in(
    api: Callers, method: str, path: str, body: dict[str, Any]
) -> None:
    for _ in range(10):
        api.call(method, path, "person", json={**body, "current_password": "wrong"})

    answer = api.call(method, path, "person", json={**body, **PROOF})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    page = sign_in(new_browser(api.site), api.people["person"].username)
    assert page.status_code == 429


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
def test_who_has_no_password_must_have_signed_in_just_now(
    api: Callers, method: str, path: str, body: dict[str, Any]
) -> None:
    without_password(api)
    api.site.clock.advance(timedelta(minutes=5, seconds=1))

    late = api.call(method, path, "person", json=body)

    assert late.status_code == 401
    assert 'error="insufficient_user_authentication"' in late.headers["www-authenticate"]
    api.site.clock.advance(-timedelta(minutes=1))
    assert api.call(method, path, "person", json=body).status_code in (200, 202, 204)


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
def test_who_has_a_second_factor_needs_a_sign_in_with_it_of_just_now(
    api: Callers, method: str, path: str, body: dict[str, Any]
) -> None:
    site, browser, person = api.site, new_browser(api.site), api.people["person"]
    before, app, scope = me(api), add_authenticator(site, person), f"openid {api.scope}"

    def sign_in_with_both(**wanted: str) -> str:
        page = browser.log_in(browser.go(api.party.url(scope=scope, **wanted)), person)
        return api.party.read(browser.send(page, code=app.wait())).code

    weak = api.call(method, path, "person", json={**body, "current_password": "a guess"})
    sign_in_with_both()
    site.clock.advance(timedelta(minutes=15, seconds=1))
    api.tokens["person"] = token_of_code(
        api, api.party.authorize(browser, person, scope=scope).code
    )
    late = api.call(method, path, "person", json={**body, **PROOF})

    for answer in (weak, late):
        assert (answer.status_code, answer.json()["max_age"]) == (401, 900)
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert f'acr_values="{TWO_FACTOR_ACR}"' in challenge
        assert 'max_age="900"' in challenge
    assert me(api) == before
    wanted = {name: str(late.json()[name]) for name in ("acr_values", "max_age")}
    api.tokens["person"] = token_of_code(api, sign_in_with_both(**wanted))
    answer = api.call(method, path, "person", json={**body, **PROOF})
    assert answer.status_code in (200, 202, 204)


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
def test_who_has_a_passkey_as_another_way_in_needs_the_password_only(
    api: Callers, method: str, path: str, body: dict[str, Any]
) -> None:
    enrolled(api.site, api.people["person"])

    answer = api.call(method, path, "person", json={**body, **PROOF})

    assert answer.status_code in (200, 202, 204)


def test_another_password_ends_the_other_sessions_and_keeps_this_one(api: Callers) -> None:
    answer = api.call("PUT", f"{ME}/password", "person", json={**PROOF, "password": NEW})

    assert answer.status_code == 204, answer.text
    assert me(api)["has_password"]
    assert api.call("GET", ME, "narrow").status_code == 401
    (mail,) = read_mails(api.site)
    assert "password was changed" in mail.subject
    username = api.people["person"].username
    assert sign_in(new_browser(api.site), username).status_code == 401
    assert sign_in(new_browser(api.site), username, NEW).status_code == 303


@pytest.mark.parametrize("password", ["short", "password1234", "x" * 4000])
def test_a_password_that_cannot_be_taken_changes_nothing(api: Callers, password: str) -> None:
    body = {**PROOF, "password": password}

    assert wrong_fields(api.call("PUT", f"{ME}/password", "person", json=body)) == ["password"]
    assert sign_in(new_browser(api.site), api.people["person"].username).status_code == 303


@pytest.mark.parametrize("by", ["link", "code"])
def test_another_address_is_used_once_it_is_confirmed(api: Callers, by: str) -> None:
    body = {**PROOF, "email": "new@example.com"}
    asked = api.call("PUT", f"{ME}/email", "person", json=body)
    (mail,) = read_mails(api.site)
    assert (asked.status_code, mail.to) == (202, "new@example.com")
    assert me(api)["email"] == api.people["person"].email

    value = value_of(mail) if by == "link" else code_of(mail)
    done = post(api, "email-verification/confirm", "person", **{by: value})

    assert done.status_code == 204, done.text
    assert (me(api)["email"], me(api)["email_verified"]) == ("new@example.com", True)
    assert wrong_fields(post(api, "email-verification/confirm", "person", **{by: value})) == [by]
    (notice,) = read_mails(api.site)
    assert notice.to == api.people["person"].email


@pytest.mark.parametrize("by", ["link", "code"])
def test_a_mail_confirms_an_address_for_whoever_asked_for_it_alone(api: Callers, by: str) -> None:
    """A stranger, whose address somebody typed, must not be led to tie it to their account."""
    api.call("PUT", f"{ME}/email", "person", json={**PROOF, "email": "new@example.com"})
    (mail,) = read_mails(api.site)
    given = {by: value_of(mail) if by == "link" else code_of(mail)}

    assert post(api, "email-verification/confirm", **given).status_code == 401
    assert post(api, "email-verification/confirm", "narrow", **given).status_code == 403
    assert post(api, "email-verification/confirm", "service", **given).status_code == 403
    assert wrong_fields(post(api, "email-verification/confirm", "other", **given)) == [by]
    assert post(api, "email-verification/confirm", "person").status_code == 422
    assert me(api)["email"] == api.people["person"].email
    assert post(api, "email-verification/confirm", "person", **given).status_code == 204


def test_an_address_is_verified_by_asking_for_a_mail(api: Callers) -> None:
    assert post(api, "email-verification", "person").status_code == 202
    assert read_mails(api.site) == []
    with api.site.db() as db:
        users.get(db, api.id_of("person")).email_verified_at = None

    assert post(api, "email-verification", "person").status_code == 202
    (mail,) = read_mails(api.site)
    done = post(api, "email-verification/confirm", "person", code=code_of(mail))

    assert done.status_code == 204
    assert me(api)["email_verified"]


def test_a_forgotten_password_is_chosen_anew_and_the_answer_tells_nothing(api: Callers) -> None:
    person = api.people["person"]
    known, unknown = (
        post(api, "password-reset", username=name) for name in (person.email, "nobody at all")
    )
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.status_code == 202
    (mail,) = read_mails(api.site)
    link = value_of(mail)

    weak = post(api, "password-reset/confirm", link=link, password="short")
    done = post(api, "password-reset/confirm", link=link, password=NEW)

    assert wrong_fields(weak) == ["password"]
    assert done.status_code == 204, done.text
    again = post(api, "password-reset/confirm", link=link, password="a third passphrase here")
    assert wrong_fields(again) == ["link"]
    assert api.call("GET", ME, "person").status_code == 401
    assert sign_in(new_browser(api.site), person.username, NEW).status_code == 303


def test_a_link_is_for_what_it_was_made_for(api: Callers) -> None:
    post(api, "password-reset", username=api.people["person"].username)
    (mail,) = read_mails(api.site)

    asked = post(api, "email-verification/confirm", "person", link=value_of(mail))
    assert wrong_fields(asked) == ["link"]
    assert wrong_fields(post(api, "password-reset/confirm", link="x.y", password=NEW)) == ["link"]


def test_sessions_are_told_and_ended_by_their_owner_alone(api: Callers) -> None:
    browser = new_browser(api.site)
    browser.client.headers["user-agent"] = "A browser of <script>"
    sign_in(browser, api.people["person"].username)

    told = api.call("GET", f"{ME}/sessions", "person").json()["sessions"]
    other = api.call("GET", f"{ME}/sessions", "other").json()["sessions"]

    assert [one["current"] for one in told].count(True) == 1
    of_browser = next(one for one in told if "script" in one["user_agent"])
    assert (of_browser["address"], of_browser["amr"]) == ("testclient", ["pwd"])
    foreign = api.call("DELETE", f"{ME}/sessions/{of_browser['id']}", "other")
    assert foreign.status_code == 404
    assert len(other) == 1
    gone = api.call("DELETE", f"{ME}/sessions/{of_browser['id']}", "person")
    assert gone.status_code == 204
    assert browser.client.get("/account").status_code == 303
    again = api.call("DELETE", f"{ME}/sessions/{of_browser['id']}", "person")
    assert again.status_code == 404


def test_all_other_sessions_end_and_the_current_one_goes_on(api: Callers) -> None:
    assert api.call("DELETE", f"{ME}/sessions", "person").status_code == 204

    told = api.call("GET", f"{ME}/sessions", "person").json()["sessions"]
    assert [one["current"] for one in told] == [True]
    assert api.call("GET", ME, "narrow").status_code == 401
    assert api.call("GET", ME, "other").status_code == 200


def test_what_a_client_may_do_is_told_and_withdrawn(api: Callers) -> None:
    client_id = api.party.app.client_id
    (told,) = api.call("GET", f"{ME}/consents", "person").json()["consents"]
    one = api.call("GET", f"{ME}/consents/{client_id}", "person").json()

    assert told == one
    assert (told["client_id"], told["client_name"]) == (client_id, "Ledger")
    assert told["scopes"] == ["account:read", "account:write", "openid"]
    assert (told["sign_ins"], told["devices"]) == (2, 0)
    assert api.call("GET", f"{ME}/consents/nobody", "person").status_code == 404
    gone = api.call("DELETE", f"{ME}/consents/{client_id}", "person")
    assert gone.status_code == 204
    assert api.call("GET", ME, "person").status_code == 401
    assert api.call("GET", ME, "other").status_code == 200


def test_everything_is_withdrawn_from_every_client_at_once(api: Callers) -> None:
    other_party = RelyingParty(api.site, make_client(api.site, scopes=["openid"]))
    api.tokens["by another client"] = token_of(
        api.site, other_party, api.people["person"], "openid account:read"
    )
    browser = new_browser(api.site)
    sign_in(browser, api.people["person"].username)

    refused = api.call("DELETE", f"{ME}/consents", "narrow")
    gone = api.call("DELETE", f"{ME}/consents", "person")

    assert (refused.status_code, gone.status_code, gone.content) == (403, 204, b"")
    for caller in ("person", "narrow", "by another client"):
        assert api.call("GET", ME, caller).status_code == 401, caller
    assert api.call("GET", ME, "other").status_code == 200
    assert browser.client.get("/account").status_code == 200
    written = select(AuditEvent.client_id, AuditEvent.user_id).where(
        AuditEvent.event == "consent.withdrawn"
    )
    with api.site.db() as db:
        events = db.session.execute(written).all()
        assert consents.permissions_of(db, api.id_of("person")) == []
        assert consents.permissions_of(db, api.id_of("other")) != []
    clients = {api.party.app.client_id, other_party.app.client_id}
    assert set(events) == {(client_id, api.id_of("person")) for client_id in clients}


def test_a_deleted_account_is_shut_and_says_when_it_goes(api: Callers) -> None:
    answer = api.call("DELETE", ME, "person", json=PROOF)

    assert answer.json() == {"deletes_at": "2026-01-19T09:00:00Z"}
    assert api.call("GET", ME, "person").status_code == 401
    (mail,) = read_mails(api.site)
    assert "will be deleted" in mail.subject


def test_the_last_administrator_is_not_deleted(api: Callers) -> None:
    refused = api.call("DELETE", ME, "administrator", json=PROOF)
    with api.site.db() as db:
        roles.assign(db, api.id_of("other"), roles.ADMIN, api.site.clock.now)

    assert refused.status_code == 409, refused.text
    assert api.call("DELETE", ME, "administrator", json=PROOF).status_code == 200
