"""Codes that are good once, when two processes see them at the same moment, on both databases."""

import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import pyotp
import pytest

from oidc_server.database import Database
from oidc_server.domain import credentials, endings, factors, pending_sign_ins, user_sessions
from oidc_server.domain.factors import recovery_codes, totp
from oidc_server.security.encryption import Vault
from oidc_server.security.totp import matching_step, new_secret, provisioning_uri
from tests.domain import sessions
from tests.domain.conftest import NOW
from tests.domain.racing import race
from tests.factories import account_of
from tests.held_up import held_up

VAULT = Vault(("a secret of the tests, long enough to be one",))
LATER = NOW + timedelta(minutes=1)
LONG_ENOUGH = 0.5
"""Seconds in which a sweep is done, or waits for somebody."""


def shown(secret: str) -> str:
    """The code of an app at `LATER`."""
    code: str = pyotp.TOTP(secret).at(LATER)
    return code


def enrolled(database: Database, user_id: str) -> str:
    """Somebody has an app; returns its secret."""
    with database.transaction("write") as db:
        factor_id = totp.begin(db, VAULT, user_id, NOW)
        enrolment = totp.find_enrolment(db, VAULT, user_id, factor_id, NOW)
        assert enrolment is not None
        code = pyotp.TOTP(enrolment.secret).at(NOW)
        assert totp.confirm(db, user_id, enrolment, "Phone", code, NOW)
        return enrolment.secret


def id_of_ada(database: Database) -> str:
    with database.transaction("read") as db:
        return str(account_of(db, "ada").id)


def redeem_code_of_app(database: Database, _name: str) -> bool:
    user_id = id_of_ada(database)
    with database.transaction("read") as db:
        row = db.first(totp._OF_USER, of_user=user_id)
    code = shown(totp._secret(VAULT, row, user_id))
    with database.transaction("write") as db:
        return totp.redeem(db, VAULT, user_id, code, LATER)


@pytest.mark.race
def test_of_two_processes_one_gets_the_code_of_an_app(database: Database, ada: str) -> None:
    enrolled(database, ada)

    assert sorted(race(redeem_code_of_app, database)) == [False, True]


def redeem_recovery_code(database: Database, _name: str) -> bool:
    user_id = id_of_ada(database)
    with database.transaction("write") as db:
        return recovery_codes.redeem(db, VAULT, user_id, "k7fq-2m9x", LATER)


def make_recovery_codes(database: Database, _name: str) -> list[str]:
    user_id = id_of_ada(database)
    with database.transaction("write") as db:
        made = recovery_codes.mint(db, VAULT, user_id, LATER)
        assert recovery_codes.left(db, user_id)  # they have been written
        time.sleep(0.5)
    return made


@pytest.mark.race
def test_of_two_sets_that_are_made_at_once_the_later_voids_the_other(
    database: Database, ada: str
) -> None:
    sets = race(make_recovery_codes, database)

    with database.transaction("write") as db:
        assert recovery_codes.left(db, ada) == recovery_codes.COUNT
        good = [recovery_codes.redeem(db, VAULT, ada, codes[0], LATER) for codes in sets]
    assert sorted(good) == [False, True]


@pytest.mark.race
def test_of_two_processes_one_gets_a_recovery_code(
    database: Database, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = iter("k7fq2m9x" + "a" * 72)
    monkeypatch.setattr(secrets, "choice", lambda _alphabet: next(letters))
    with database.transaction("write") as db:
        codes = recovery_codes.mint(db, VAULT, ada, NOW)

    assert codes[0] == "k7fq-2m9x"
    assert sorted(race(redeem_recovery_code, database)) == [False, True]


def remove(database: Database, user_id: str, factor_id: str) -> bool:
    with database.transaction("write") as db:
        return factors.remove(db, user_id, factor_id) is not None


def make_codes(database: Database, user_id: str) -> list[str]:
    with database.transaction("write") as db:
        return recovery_codes.mint(db, VAULT, user_id, NOW)


def codes_left(database: Database, user_id: str) -> int:
    with database.transaction("read") as db:
        return recovery_codes.left(db, user_id)


def test_who_removes_an_app_while_another_is_set_up_keeps_their_recovery_codes(
    database: Database, ada: str
) -> None:
    enrolled(database, ada)
    make_codes(database, ada)
    with database.transaction("write") as db:
        [first] = factors.list_factors(db, ada)
        second = totp.find_enrolment(db, VAULT, ada, totp.begin(db, VAULT, ada, NOW), NOW)
        assert second is not None

    with database.transaction("write") as db:
        code = pyotp.TOTP(second.secret).at(NOW)
        assert totp.confirm(db, ada, second, "Tablet", code, NOW)
        removing = held_up(lambda: remove(database, ada, first.id))
    assert removing()

    assert codes_left(database, ada) == recovery_codes.COUNT


def reset(database: Database, user_id: str) -> list[str]:
    with database.transaction("write") as db:
        return endings.reset_factors(db, user_id, LATER)


def test_an_app_that_is_set_up_while_all_are_taken_away_is_taken_too(
    database: Database, ada: str
) -> None:
    handle = sessions.start(database, ada)
    with database.transaction("write") as db:
        enrolment = totp.find_enrolment(db, VAULT, ada, totp.begin(db, VAULT, ada, NOW), NOW)
        assert enrolment is not None

    with database.transaction("write") as db:
        user_sessions.hold(db, sessions.id_of(db, handle))
        resetting = held_up(lambda: reset(database, ada))
        assert totp.confirm(db, ada, enrolment, "", pyotp.TOTP(enrolment.secret).at(NOW), NOW)
        recovery_codes.mint(db, VAULT, ada, NOW)
    resetting()

    with database.transaction("read") as db:
        assert factors.held_by(db, ada) == frozenset()


def test_who_takes_all_factors_waits_for_a_passkey_that_is_shown_before_anything_else(
    database: Database, ada: str
) -> None:
    """Else whoever shows it in a sign-in would wait for that sign-in, which is being ended."""
    with database.transaction("write") as db:
        pending_id = pending_sign_ins.begin(db, ada, "browser", frozenset({"pwd"}), NOW)

    with database.transaction("write") as db:
        assert credentials.may_sign_in(db, ada, NOW)  # as `passkeys.use`
        resetting = held_up(lambda: reset(database, ada))
        pending = pending_sign_ins.find(db, pending_id, "browser", NOW)
        assert pending is not None
        assert pending_sign_ins.finish(db, pending, "browser", NOW)

    assert resetting() == []


def prune(database: Database, now: datetime) -> int:
    with database.transaction("write") as db:
        return factors.prune(db, now, 200)


def test_an_app_that_is_confirmed_at_the_last_moment_is_not_swept_away(
    database: Database, ada: str
) -> None:
    end = NOW + factors.ENROLMENT_LIFETIME
    with database.transaction("write") as db:
        enrolment = totp.find_enrolment(db, VAULT, ada, totp.begin(db, VAULT, ada, NOW), NOW)
        assert enrolment is not None

    with ThreadPoolExecutor(1) as beside, database.transaction("write") as db:
        last = end - timedelta(seconds=1)
        assert totp.confirm(db, ada, enrolment, "", pyotp.TOTP(enrolment.secret).at(last), last)
        sweeping = beside.submit(prune, database, end + timedelta(seconds=1))
        wait([sweeping], LONG_ENOUGH)
    assert sweeping.result() == 0

    with database.transaction("read") as db:
        assert factors.Factor.TOTP in factors.held_by(db, ada)


PENDING = "0194a2f0-0000-7000-8000-0000000000aa"


def finish_pending(database: Database, _name: str) -> bool:
    with database.transaction("read") as db:
        pending = pending_sign_ins.find(db, PENDING, "browser", LATER)
    if pending is None:
        return False
    with database.transaction("write") as db:
        return pending_sign_ins.finish(db, pending, "browser", LATER)


@pytest.mark.race
def test_of_two_processes_one_finishes_a_sign_in(
    database: Database, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_sign_ins, "new_id", lambda _now: PENDING)
    with database.transaction("write") as db:
        pending_sign_ins.begin(db, ada, "browser", frozenset({"pwd"}), NOW)

    assert sorted(race(finish_pending, database)) == [False, True]


def test_what_is_kept_of_a_code_does_not_tell_it(database: Database, ada: str) -> None:
    secret = enrolled(database, ada)
    with database.transaction("write") as db:
        codes = recovery_codes.mint(db, VAULT, ada, NOW)
        rows = [*db.session.query(factors.FactorRow), *db.session.query(factors.RecoveryCode)]
        kept = repr([vars(row) for row in rows])

    assert secret not in kept
    assert not any(code.replace("-", "") in kept for code in codes)


def test_codes_made_under_an_older_secret_still_work(database: Database, ada: str) -> None:
    secret = enrolled(database, ada)
    rotated = Vault(("another secret of the tests, as long as it", "x" * 32))
    both = Vault(
        (
            "another secret of the tests, as long as it",
            "a secret of the tests, long enough to be one",
        )
    )
    with database.transaction("write") as db:
        [code, *_] = recovery_codes.mint(db, VAULT, ada, NOW)

        assert not recovery_codes.redeem(db, rotated, ada, code, LATER)
        assert recovery_codes.redeem(db, both, ada, code, LATER)
        assert totp.redeem(db, both, ada, shown(secret), LATER)


def test_rfc_6238_test_vectors_are_met() -> None:
    """Appendix B, of which six digits are shown."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]:
        moment = NOW.fromtimestamp(seconds, NOW.tzinfo)
        assert matching_step(secret, code, moment) == seconds // 30


def test_every_secret_is_new_and_what_is_scanned_names_who_and_where() -> None:
    made = {new_secret() for _ in range(20)}

    uri = provisioning_uri("JBSWY3DP" * 4, "ada", "Example ID")

    assert len(made) == 20
    assert all(re.fullmatch(r"[A-Z2-7]{32}", secret) for secret in made)
    assert uri.startswith("otpauth://totp/Example%20ID:ada?secret=JBSWY3DPJBSWY3DP")
