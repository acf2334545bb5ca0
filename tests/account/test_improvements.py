"""What the overview advises, as a pure function."""

import pytest

from oidc_server.account.improvements import Line, Standing, improvements
from oidc_server.domain.factors import Factor

WITH_MAIL = {"has_email": True, "email_is_verified": True, "passkeys_are_possible": False}


def advised(**standing):
    return [line.advice for line in improvements(Standing(**{**WITH_MAIL, **standing}))]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        ({"has_email": False, "email_is_verified": False}, ["add_email", "add_second_step"]),
        ({"email_is_verified": False}, ["confirm_email", "add_second_step"]),
        ({}, ["add_second_step", "email_confirmed"]),
        ({"factors": [Factor.EMAIL_CODE]}, ["add_second_step", "email_confirmed"]),
        ({"factors": [Factor.PASSKEY]}, ["ask_for_passkey", "email_confirmed"]),
        (
            {"factors": [Factor.PASSKEY], "has_password": False},
            ["email_confirmed", "second_step_on"],
        ),
        (
            {"factors": [Factor.PASSKEY, Factor.ASKED_PASSKEY]},
            ["email_confirmed", "second_step_on"],
        ),
        (
            {"factors": [Factor.TOTP]},
            ["make_recovery_codes", "email_confirmed", "second_step_on"],
        ),
        (
            {"factors": [Factor.TOTP], "recovery_codes": 2},
            ["few_recovery_codes", "email_confirmed", "second_step_on"],
        ),
        (
            {"factors": [Factor.TOTP], "recovery_codes": 10},
            ["email_confirmed", "second_step_on", "recovery_codes_made"],
        ),
    ],
)
def test_what_is_to_be_done_comes_first(standing, expected):
    assert advised(**standing) == expected


def test_a_line_says_whether_it_is_done():
    lines = improvements(Standing(**WITH_MAIL, factors=[Factor.TOTP], recovery_codes=9))

    assert lines == [
        Line("email_confirmed", is_done=True),
        Line("second_step_on", is_done=True),
        Line("recovery_codes_made", is_done=True),
    ]


def test_a_passkey_is_advised_where_there_can_be_one():
    assert "add_passkey" in advised(passkeys_are_possible=True)
    assert "passkey_added" in advised(passkeys_are_possible=True, factors=[Factor.PASSKEY])
    assert "add_passkey" not in advised()
