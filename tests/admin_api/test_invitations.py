"""Invitations: made through the API, mailed or handed over, used once on the page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from oidc_server.domain import credentials, endings, invitations, roles
from oidc_server.outbound.mail import Mail
from tests.authentication.forms import csrf, post_to
from tests.authenticator import Authenticator
from tests.browser import Browser
from tests.callers import Callers, make_callers
from tests.factories import PASSWORD
from tests.held_up import held_up
from tests.mails import link_in, read_mails
from tests.site import Site

PATH = "/api/v1/admin/invitations"
SCOPE = "invitations:read invitations:write roles:read roles:write"
NOBODY = "0193b1d2-0000-4000-8000-000000000000"


@pytest.fixture
def invited_site(start_site: Callable[..., Site]) -> Site:
    return start_site(sign_up="invite")


@pytest.fixture
def api(invited_site: Site) -> Callers:
    return make_callers(invited_site, SCOPE)


def invite(api: Callers, caller: str = "administrator", **body: Any) -> Response:
    return api.call("POST", PATH, caller, json=body)


def link_of(api: Callers, **body: Any) -> str:
    link: str = invite(api, **body).json()["link"]
    return link.removeprefix(api.site.issuer)


def states(api: Callers) -> list[str]:
    return [told["state"] for told in api.call("GET", PATH, "administrator").json()["invitations"]]


def sign_up(page: Response, browser: Browser, **fields: str) -> Response:
    values: dict[str, Any] = {"username": "zoe", "email": "zoe@example.com", "password": PASSWORD}
    return browser.send(page, **{**values, **fields})


def invitations_in(mails: list[Mail]) -> list[Mail]:
    """Those that lead to the page: who signs in from a new browser gets one as well."""
    return [mail for mail in mails if "/sign-up?link=" in mail.text]


def account(site: Site, username: str = "zoe") -> Any:
    with site.db() as db:
        return credentials.find_by_name(db, username)


def test_a_link_that_is_handed_over_makes_one_account(api: Callers) -> None:
    site = api.site
    link = link_of(api)
    first, second = Browser(site.browser(), site.issuer), Browser(site.browser(), site.issuer)
    page, other = first.go(link), second.go(link)

    made = sign_up(page, first)
    again = sign_up(other, second, username="yan")

    assert (page.status_code, made.status_code) == (200, 200)
    assert "link=" not in str(page.url)
    assert account(site).email_verified_at is None
    assert (again.status_code, account(site, "yan")) == (400, None)
    assert Browser(site.browser(), site.issuer).go(link).status_code == 400
    assert states(api) == ["used"]


def test_an_invitation_for_an_address_is_mailed_there_and_proves_it(api: Callers) -> None:
    site = api.site
    answer = invite(api, email="ann@example.com", role="moderator")
    [mail] = invitations_in(read_mails(site))
    browser = Browser(site.browser(), site.issuer)

    page = browser.go(link_in(mail))
    sign_up(page, browser, email="eve@example.com")

    assert answer.json()["link"] is None
    assert mail.to == "ann@example.com"
    found = account(site)
    assert (found.email, found.email_verified_at) == ("ann@example.com", site.clock.now)
    with site.db() as db:
        assert roles.roles_of(db, found.id) == {"moderator", "user"}
    assert not [later for later in read_mails(site) if "/verify-email" in later.text]


def test_opening_a_link_uses_nothing(api: Callers) -> None:
    link = link_of(api)
    for _ in range(3):
        assert Browser(api.site.browser(), api.site.issuer).go(link).status_code == 200

    assert states(api) == ["open"]


def test_a_refused_form_leaves_the_invitation_open(api: Callers) -> None:
    site, taken = api.site, api.people["person"]
    browser = Browser(site.browser(), site.issuer)
    page = browser.go(link_of(api))

    weak = sign_up(page, browser, password="zoe")
    name = sign_up(weak, browser, username=taken.username)
    made = sign_up(name, browser)

    assert (weak.status_code, name.status_code, made.status_code) == (422, 409, 200)
    assert states(api) == ["used"]


def test_an_invited_address_that_is_verified_elsewhere_is_refused(api: Callers) -> None:
    site = api.site
    invite(api, email=api.people["person"].email)
    [mail] = invitations_in(read_mails(site))
    browser = Browser(site.browser(), site.issuer)

    answer = sign_up(browser.go(link_in(mail)), browser)

    assert (answer.status_code, account(site)) == (409, None)
    assert states(api) == ["open"]


@pytest.mark.parametrize("how", ["expired", "revoked", "forged", "of another purpose"])
def test_a_link_that_does_not_hold_lets_nobody_in(api: Callers, how: str) -> None:
    site = api.site
    made = invite(api).json()
    link = made["link"].removeprefix(site.issuer)
    browser = Browser(site.browser(), site.issuer)
    page = browser.go(link)
    if how == "expired":
        site.clock.advance(timedelta(days=8))
        api.give_role("administrator", roles.MODERATOR)  # and a fresh token
    elif how == "revoked":
        revoked = api.call("DELETE", f"{PATH}/{made['id']}", "administrator")
        assert revoked.status_code == 204
        assert api.call("DELETE", f"{PATH}/{made['id']}", "administrator").status_code == 404
    elif how == "forged":
        link = link[:-4] + ("AAAA" if link[-4:] != "AAAA" else "BBBB")
    else:
        link = "/sign-up?link=" + site.runtime.links.sign("verify_email", made["id"])

    opened = Browser(site.browser(), site.issuer).go(link)

    assert opened.status_code in (400, 403)
    if how in ("expired", "revoked"):
        assert sign_up(page, browser).status_code == 400
        assert account(site) is None
        assert states(api) == [how]


def test_without_an_invitation_there_is_no_way_in(api: Callers) -> None:
    site = api.site
    browser = Browser(site.browser(), site.issuer)

    page = browser.go("/sign-up")

    assert page.status_code == 403
    assert "by invitation" in page.text


def test_nobody_invites_with_a_role_that_they_could_not_give(api: Callers) -> None:
    api.call(
        "POST",
        "/api/v1/admin/roles",
        "administrator",
        json={"name": "host", "scopes": SCOPE.split()},
    )
    api.give_role("other", "host")

    assert invite(api, "other", role="admin").status_code == 403
    assert invite(api, "other", role="host").status_code == 201
    assert invite(api, "moderator").status_code == 403
    unknown = invite(api, role="nothing")
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "role")
    assert invite(api, email="nowhere").json()["errors"][0]["field"] == "email"
    assert invite(api, expires_in=10**9).status_code == 422


def test_a_role_is_given_through_an_invitation_only_by_who_may_give_it_otherwise(
    api: Callers,
) -> None:
    api.call(
        "POST",
        "/api/v1/admin/roles",
        "administrator",
        json={"name": "greeter", "scopes": ["invitations:read", "invitations:write"]},
    )
    api.give_role("other", "greeter")

    assert invite(api, "other", role="greeter").status_code == 403
    assert invite(api, "other").status_code == 201


def lose_power(api: Callers, inviter: str, how: str) -> None:
    with api.site.db() as db:
        user_id, now = api.id_of(inviter), api.site.clock.now
        if how == "the role is taken":
            assert endings.withdraw_role(db, user_id, roles.ADMIN)
        elif how == "the account is disabled":
            endings.disable_user(db, user_id, now)
        else:
            assert endings.delete_user(db, user_id, now)


@pytest.mark.parametrize(
    "how", ["the role is taken", "the account is disabled", "the account is deleted"]
)
def test_whoever_lost_a_power_has_not_left_it_to_somebody(api: Callers, how: str) -> None:
    site = api.site
    api.give_role("other", roles.ADMIN)
    link = invite(api, "other", role="admin").json()["link"].removeprefix(site.issuer)
    plain = invite(api, "other").json()["link"].removeprefix(site.issuer)
    browser = Browser(site.browser(), site.issuer)
    page = browser.go(link)
    lose_power(api, "other", how)

    refused = sign_up(page, browser)

    assert (page.status_code, refused.status_code, account(site)) == (200, 400, None)
    assert Browser(site.browser(), site.issuer).go(link).status_code == 400
    assert Browser(site.browser(), site.issuer).go(plain).status_code == 200


def test_a_power_that_is_lost_while_the_form_is_sent_is_not_given(api: Callers) -> None:
    site = api.site
    api.give_role("other", roles.ADMIN)
    made = invite(api, "other", role="admin").json()
    with site.db() as db:
        found = invitations.find(db, made["id"], site.clock.now)
    lose_power(api, "other", "the role is taken")

    with site.db() as db:
        assert found is not None
        assert not invitations.redeem(db, found, api.id_of("person"), site.clock.now)
        assert roles.roles_of(db, api.id_of("person")) == {"user"}
    assert set(states(api)) == {"open"}


def test_an_invitation_waits_for_the_power_that_is_just_being_taken(api: Callers) -> None:
    site = api.site
    api.give_role("other", roles.ADMIN)
    link = invite(api, "other", role="admin").json()["link"].removeprefix(site.issuer)
    browser = Browser(site.browser(), site.issuer)
    page = browser.go(link)

    with site.db() as db:
        endings.withdraw_role(db, api.id_of("other"), roles.ADMIN)
        signing_up = held_up(lambda: sign_up(page, browser))

    assert signing_up().status_code == 400
    assert account(site) is None


def test_a_role_that_is_just_being_changed_is_given_only_if_the_inviter_may_as_much(
    api: Callers,
) -> None:
    site = api.site
    for name, scopes in (("host", SCOPE.split()), ("guest", ["invitations:read"])):
        body = {"name": name, "scopes": scopes}
        assert api.call("POST", "/api/v1/admin/roles", "administrator", json=body).status_code < 300
    api.give_role("other", "host")
    link = invite(api, "other", role="guest").json()["link"].removeprefix(site.issuer)
    browser = Browser(site.browser(), site.issuer)
    page = browser.go(link)

    with site.db() as db:
        more = frozenset({"users:write"})
        guest = roles.get(db, "guest")
        roles.change(db, guest, description="", scopes=more, known=more, now=site.clock.now)
        signing_up = held_up(lambda: sign_up(page, browser))

    assert signing_up().status_code == 400
    assert account(site) is None


def test_a_role_that_is_just_being_deleted_keeps_no_invitation_from_being_used(
    api: Callers,
) -> None:
    site, host = api.site, {"name": "host", "scopes": ["users:read"]}
    api.call("POST", "/api/v1/admin/roles", "administrator", json=host)
    link = link_of(api, role="host")
    browser = Browser(site.browser(), site.issuer)
    page = browser.go(link)

    with site.db() as db:
        roles.remove(db, roles.get(db, "host"))
        signing_up = held_up(lambda: sign_up(page, browser))

    assert signing_up().status_code == 200
    with site.db() as db:
        assert roles.roles_of(db, account(site).id) == {"user"}


def test_a_passkey_and_an_invitation_make_an_account_without_a_password(api: Callers) -> None:
    site = api.site
    invite(api, email="zoe@example.com", role="moderator")
    [mail] = invitations_in(read_mails(site))
    browser, authenticator = Browser(site.browser(), site.issuer), Authenticator()
    page = browser.go(link_in(mail))
    value = page.text.split('name="link" value="')[1].split('"')[0]
    form = {"csrf_token": csrf(browser), "username": "zoe", "email": "eve@example.com"}

    shut = post_to(browser, "/sign-up/passkey/options", **form)
    asked = post_to(browser, "/sign-up/passkey/options", **form, link=value)
    credential = authenticator.make(asked.json())
    without = post_to(browser, "/sign-up/passkey", **form, credential=credential)
    made = post_to(browser, "/sign-up/passkey", **form, credential=credential, link=value)
    late = post_to(browser, "/sign-up/passkey/options", **form, link=value)

    assert [shut.status_code, asked.status_code, without.status_code] == [422, 200, 403]
    assert (made.status_code, late.status_code) == (303, 422)
    found = account(site)
    assert (found.email, found.password_hash) == ("zoe@example.com", None)
    assert found.email_verified_at == site.clock.now
    with site.db() as db:
        assert roles.roles_of(db, found.id) == {"moderator", "user"}
    assert states(api) == ["used"]


def over_the_api(api: Callers, **body: Any) -> Response:
    values = {"username": "zoe", "email": "zoe@example.com", "password": PASSWORD}
    return api.call("POST", "/api/v1/users", "", json={**values, **body})


def test_an_invitation_makes_one_account_over_the_api(api: Callers) -> None:
    value = link_of(api, role="moderator").partition("link=")[2]

    weak = over_the_api(api, invitation=value, password="zoe")
    made = over_the_api(api, invitation=value)
    again = over_the_api(api, invitation=value, username="yan")

    assert [answer.status_code for answer in (weak, made, again)] == [422, 201, 422], made.text
    assert made.json()["email_verified"] is False
    assert again.json()["errors"][0]["field"] == "invitation"
    assert "set-cookie" not in made.headers
    found = account(api.site)
    with api.site.db() as db:
        assert roles.roles_of(db, found.id) == {"moderator", "user"}
    assert account(api.site, "yan") is None
    assert states(api) == ["used"]


def test_over_the_api_an_invitation_is_for_its_address_alone_and_proves_it(api: Callers) -> None:
    site = api.site
    invite(api, email="zoe@example.com")
    [mail] = invitations_in(read_mails(site))
    value = link_in(mail).partition("link=")[2]

    other = over_the_api(api, invitation=value, email="eve@example.com")
    forged = over_the_api(api, invitation=value[:-4] + "....")
    made = over_the_api(api, invitation=value, email="Zoe@example.com")

    assert other.json()["errors"][0]["field"] == "email"
    assert forged.json()["errors"][0]["field"] == "invitation"
    assert (made.status_code, made.json()["email_verified"]) == (201, True)


def test_invitations_are_listed_newest_first_and_each_once(api: Callers) -> None:
    ids = []
    for _ in range(5):
        ids.append(invite(api).json()["id"])
        api.site.clock.advance(1)

    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        told = api.call("GET", PATH, "administrator", params=query).json()
        assert all("link" not in shown for shown in told["invitations"])
        seen += [shown["id"] for shown in told["invitations"]]
        cursor = told["next_cursor"]
        if cursor is None:
            break

    assert seen == list(reversed(ids))
    for bad in ("x", "WyJ4Il0"):
        answer = api.call("GET", PATH, "administrator", params={"cursor": bad})
        assert answer.status_code == 400
    assert api.call("DELETE", f"{PATH}/{NOBODY}", "administrator").status_code == 404


def test_where_sign_up_is_closed_no_invitation_opens_it(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(sign_up="closed")
    with site.db() as db:
        made = invitations.create(
            db,
            email=None,
            role=None,
            invited_by=None,
            lifetime=invitations.USUAL,
            now=site.clock.now,
        )
    value = site.runtime.links.sign("invitation", made.id)

    page = Browser(site.browser(), site.issuer).go(f"/sign-up?link={value}")

    assert page.status_code == 403
