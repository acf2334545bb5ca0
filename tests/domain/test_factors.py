"""Codes that are good once, when two processes see them at the same moment, on both databases."""

import re
import secrets
from datetime import timedelta

import pyotp
import pytest

from oidc_server.database import Database
from oidc_server.domain import factors, pending_sign_ins, users
from oidc_server.domain.factors import recovery_codes, totp
from oidc_server.security.encryption import Vault
from oidc_server.security.totp import matching_step, new_secret, provisioning_uri
from tests.domain.conftest import NOW
from tests.domain.racing import race

VAULT = Vault(("a secret of the tests, long enough to be one",))
LATER = NOW + timedelta(minutes=1)


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
        return str(users.find_for_sign_in(db, "ada").id)


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
