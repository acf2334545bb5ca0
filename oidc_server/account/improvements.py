"""What a person can do to make their account safer: the list of the overview."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from oidc_server.domain.factors import Factor

Advice = Literal[
    "add_email",
    "confirm_email",
    "email_confirmed",
    "add_passkey",
    "passkey_added",
    "add_second_step",
    "ask_for_passkey",
    "second_step_on",
    "make_recovery_codes",
    "few_recovery_codes",
    "recovery_codes_made",
]
"""A line of the list; its words are in `templates/account/improvements.html`."""

FEW_CODES = 3
"""So many recovery codes are soon used up."""
_DONE: frozenset[Advice] = frozenset(
    {"email_confirmed", "passkey_added", "second_step_on", "recovery_codes_made"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the advice is drawn from."""

    has_email: bool
    email_is_verified: bool
    passkeys_are_possible: bool = True
    has_password: bool = True
    factors: Collection[Factor] = ()
    recovery_codes: int = 0
    """How many are left."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: something to do, or something that is done."""

    advice: Advice
    is_done: bool


def improvements(standing: Standing) -> list[Line]:
    """A line for each thing that can be better or is good already; what is to be done first."""
    lines = [Line(advice, is_done=advice in _DONE) for advice in _advice(standing)]
    return sorted(lines, key=lambda line: line.is_done)


def _advice(standing: Standing) -> Iterator[Advice]:
    if not standing.has_email:
        yield "add_email"
    else:
        yield "email_confirmed" if standing.email_is_verified else "confirm_email"
    if standing.passkeys_are_possible:
        yield "passkey_added" if Factor.PASSKEY in standing.factors else "add_passkey"
    yield _second_step(standing)
    if Factor.TOTP in standing.factors:
        # Passkeys are on several devices; an app that makes codes is on one, which gets lost.
        yield _codes(standing.recovery_codes)


def _second_step(standing: Standing) -> Advice:
    """A passkey as an alternative to the password does not protect from a stolen password."""
    held = standing.factors
    if Factor.TOTP in held or Factor.ASKED_PASSKEY in held:
        return "second_step_on"
    if Factor.PASSKEY in held:
        return "ask_for_passkey" if standing.has_password else "second_step_on"
    return "add_second_step"


def _codes(left: int) -> Advice:
    if not left:
        return "make_recovery_codes"
    return "few_recovery_codes" if left <= FEW_CODES else "recovery_codes_made"
