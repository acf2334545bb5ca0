"""What is missing from a sign-in, row by row."""

import pytest

from oidc_server.authentication.next_factor import Ask, Done, Enrol, next_factor
from oidc_server.domain.factors.strength import (
    PASSWORD_ACR,
    PHISHING_RESISTANT_ACR,
    TWO_FACTOR_ACR,
    Factor,
    acr_of,
    acr_to_tell,
    reachable_acr,
    with_methods,
)

APP, CODES = {"totp", "recovery_code"}, {"recovery_code"}
PASSKEY, KEY, MAIL = {"passkey"}, {"passkey", "asked_passkey"}, {"email_code"}
ALL = {"passkey", "totp", "recovery_code", "email_code"}
PWD, MAILED, TWO = "pwd", "pwd otp mca", "pwd otp mfa"
NO, YES = False, True

TABLE = [
    # held, proven, wanted, trusted device, required; what is missing
    (set(), PWD, None, NO, NO, "done"),
    (set(), PWD, None, NO, YES, "enrol"),
    (set(), PWD, None, YES, YES, "enrol"),
    (set(), PWD, TWO_FACTOR_ACR, NO, NO, "done"),
    (APP, PWD, None, NO, NO, "totp recovery_code"),
    (APP, PWD, None, NO, YES, "totp recovery_code"),
    (APP, PWD, None, YES, NO, "done"),
    (APP, PWD, None, YES, YES, "done"),
    (APP, PWD, PASSWORD_ACR, YES, NO, "done"),
    (APP, PWD, TWO_FACTOR_ACR, YES, NO, "totp recovery_code"),
    (APP, TWO, None, NO, YES, "done"),
    (APP, TWO, TWO_FACTOR_ACR, NO, NO, "done"),
    (APP, MAILED, None, NO, NO, "totp recovery_code"),
    ({"totp"}, PWD, None, NO, NO, "totp"),
    (KEY, PWD, None, NO, NO, "passkey"),
    (KEY, PWD, None, YES, NO, "done"),
    (PASSKEY, PWD, None, NO, NO, "done"),
    (PASSKEY, PWD, None, NO, YES, "passkey"),
    (PASSKEY, PWD, TWO_FACTOR_ACR, NO, NO, "passkey"),
    (PASSKEY, PWD, TWO_FACTOR_ACR, YES, NO, "passkey"),
    (PASSKEY, "hwk user", None, NO, NO, "done"),
    (ALL, TWO, PHISHING_RESISTANT_ACR, NO, NO, "passkey"),
    (ALL, "swk mfa user", PHISHING_RESISTANT_ACR, NO, NO, "done"),
    (APP, TWO, PHISHING_RESISTANT_ACR, NO, NO, "done"),
    (PASSKEY | MAIL, PWD, None, NO, NO, "email_code"),
    (KEY, "hwk mfa user", None, NO, YES, "done"),
    (KEY, "pwd hwk mfa", TWO_FACTOR_ACR, NO, YES, "done"),
    (ALL, PWD, None, NO, NO, "passkey totp recovery_code"),
    (MAIL, PWD, None, NO, NO, "email_code"),
    (MAIL, PWD, None, YES, NO, "done"),
    (MAIL, MAILED, None, NO, NO, "done"),
    (MAIL, PWD, None, NO, YES, "email_code"),
    (MAIL, MAILED, None, NO, YES, "enrol"),
    (MAIL, MAILED, TWO_FACTOR_ACR, NO, NO, "done"),
    (CODES, PWD, None, NO, NO, "done"),
]


@pytest.mark.parametrize(("held", "amr", "acr", "trusted", "required", "missing"), TABLE)
def test_what_is_missing(
    held: set[str], amr: str, acr: str | None, trusted: bool, required: bool, missing: str
) -> None:
    expected = {"done": Done(), "enrol": Enrol()}.get(
        missing, Ask(tuple(Factor(name) for name in missing.split() if name in set(Factor)))
    )

    found = next_factor(
        frozenset(Factor(name) for name in held),
        frozenset(amr.split()),
        acr=acr,
        trusted=trusted,
        required=required,
    )

    assert found == expected


@pytest.mark.parametrize(
    ("amr", "methods", "after", "acr"),
    [
        ("pwd", "otp", "mfa otp pwd", TWO_FACTOR_ACR),
        ("pwd", "otp mca", "mca otp pwd", PASSWORD_ACR),
        ("pwd otp mca", "otp", "mca mfa otp pwd", TWO_FACTOR_ACR),
        ("pwd", "hwk", "hwk mfa pwd", PHISHING_RESISTANT_ACR),
        ("", "otp", "otp", PASSWORD_ACR),
        ("", "hwk user mfa", "hwk mfa user", PHISHING_RESISTANT_ACR),
        ("", "hwk user", "hwk user", PASSWORD_ACR),
    ],
)
def test_two_factors_make_more_than_one_and_the_mailbox_is_none(
    amr: str, methods: str, after: str, acr: str
) -> None:
    proven = with_methods(frozenset(amr.split()), frozenset(methods.split()))

    assert " ".join(sorted(proven)) == after
    assert acr_of(proven) == acr


def test_only_factors_of_their_own_reach_two() -> None:
    assert reachable_acr({Factor.TOTP}) == TWO_FACTOR_ACR
    assert reachable_acr({Factor.TOTP, Factor.PASSKEY}) == PHISHING_RESISTANT_ACR
    assert reachable_acr({Factor.EMAIL_CODE, Factor.RECOVERY_CODE}) == PASSWORD_ACR


@pytest.mark.parametrize(
    ("reached", "asked", "told"),
    [
        (PASSWORD_ACR, (), PASSWORD_ACR),
        (TWO_FACTOR_ACR, (), TWO_FACTOR_ACR),
        (TWO_FACTOR_ACR, (PASSWORD_ACR,), PASSWORD_ACR),
        (TWO_FACTOR_ACR, ("urn:gold", TWO_FACTOR_ACR, PASSWORD_ACR), TWO_FACTOR_ACR),
        (PASSWORD_ACR, (TWO_FACTOR_ACR,), PASSWORD_ACR),
        (PHISHING_RESISTANT_ACR, (TWO_FACTOR_ACR, PASSWORD_ACR), TWO_FACTOR_ACR),
        (None, (TWO_FACTOR_ACR,), None),
    ],
)
def test_a_client_is_told_what_it_asked_for_where_that_is_met(
    reached: str | None, asked: tuple[str, ...], told: str | None
) -> None:
    assert acr_to_tell(reached, asked) == told
