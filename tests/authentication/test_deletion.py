"""An account that waits for its deletion: signing in brings it back, and nothing else does."""

from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from oidc_server.domain import endings
from oidc_server.domain.audit import AuditEvent
from oidc_server.jobs import account_deletion
from oidc_server.people import own_account
from oidc_server.web.context import Context
from oidc_server.web.incoming import Incoming
from tests.authentication.forms import is_signed_in, new_browser, sign_in, sign_up
from tests.authentication.test_email_change import SCOPE
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in


def _password_grant(site, person):
    app = make_client(site, grant_types=("password",))
    fields = {"username": person.username, "password": person.password, "scope": "openid"}
    return RelyingParty(site, app).token(grant_type="password", **fields).status_code


def test_an_account_that_waits_for_its_deletion_is_brought_back_by_signing_in(site):
    party, browser, person, tokens = signed_in(site)
    with site.db() as db:
        ctx = Context(Incoming(dict(SCOPE)), site.runtime, "ref", db=db)
        own_account.delete(ctx, person.id)

    assert not is_signed_in(browser)
    assert party.userinfo(tokens["access_token"]).status_code == 401
    wrong = sign_in(new_browser(site), person.username, "not the password at all")
    granted = _password_grant(site, person)
    back = new_browser(site)
    assert sign_in(back, person.username).status_code == 303

    assert (wrong.status_code, granted) == (401, 400)
    assert is_signed_in(back)
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.refresh(tokens["refresh_token"]).status_code == 400


def test_after_its_time_it_is_as_if_there_were_none(site):
    person = make_user(site)
    with site.db() as db:
        own_account.delete(Context(Incoming(dict(SCOPE)), site.runtime, "ref", db=db), person.id)
    site.clock.advance(site.runtime.settings.account_deletion_grace)

    assert sign_in(new_browser(site), person.username).status_code == 401
    account_deletion.delete_due(site.runtime, Event())
    assert sign_in(new_browser(site), person.username).status_code == 401
    assert sign_up(new_browser(site), person.username).status_code == 303


def test_the_audit_log_forgets_who_is_gone_and_nobody_else(site):
    person, other = make_user(site), make_user(site)
    for username in (person.username, other.username):
        sign_in(new_browser(site), username)
    with site.db() as db:
        own_account.delete(Context(Incoming(dict(SCOPE)), site.runtime, "ref", db=db), person.id)
    site.clock.advance(site.runtime.settings.account_deletion_grace)

    account_deletion.delete_due(site.runtime, Event())

    with site.db() as db:
        rows = list(db.session.scalars(select(AuditEvent)))
    of_person = {row.event: row for row in rows if row.user_id == person.id}
    done = of_person.pop("user.deleted")
    assert done.actor == "server"
    assert set(of_person) == {"sign_in.succeeded", "user.deletion_scheduled"}
    assert {row.address for row in of_person.values()} == {""}
    assert [row.detail for row in of_person.values()] == [{}, {}]
    assert all(row.address for row in rows if row.user_id == other.id)


@pytest.mark.parametrize(
    "change",
    [
        "address = '192.0.2.99'",
        "event = 'sign_in.failed'",
        "actor_user_id = NULL",
        "user_id = NULL",
        "at = 0",
        "reference = ''",
    ],
)
def test_nothing_else_of_the_log_can_be_changed_not_even_of_who_is_gone(site, change):
    person = make_user(site)
    sign_in(new_browser(site), person.username)
    with site.db() as db:
        endings.delete_user(db, person.id, site.clock.now)

    with pytest.raises(IntegrityError), site.db() as db:
        db.session.execute(text(f"UPDATE audit_events SET {change}"))  # noqa: S608


def test_nothing_of_the_log_is_forgotten_of_who_only_waits_to_be_deleted(site):
    person = make_user(site)
    sign_in(new_browser(site), person.username)
    with site.db() as db:
        endings.schedule_deletion(db, person.id, site.clock.now, grace=timedelta(days=1))

    with pytest.raises(IntegrityError), site.db() as db:
        db.session.execute(text("UPDATE audit_events SET address = ''"))
