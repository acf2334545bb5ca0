"""What a person can do to make their account safer: the list of the overview."""

from dataclasses import dataclass
from typing import Literal

Advice = Literal["add_email", "confirm_email", "email_confirmed", "add_passkey", "passkey_added"]
"""A line of the list; its words are in `templates/account/improvements.html`."""

_DONE: frozenset[Advice] = frozenset({"email_confirmed", "passkey_added"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the advice is drawn from."""

    has_email: bool
    email_is_verified: bool
    has_passkey: bool | None
    """None where there can be none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: something to do, or something that is done."""

    advice: Advice
    is_done: bool


def improvements(standing: Standing) -> list[Line]:
    """A line for each thing that can be better or is good already; what is to be done first."""
    found = (_email(standing), _passkey(standing))
    lines = [_line(advice) for advice in found if advice is not None]
    return sorted(lines, key=lambda line: line.is_done)


def _email(standing: Standing) -> Advice:
    if not standing.has_email:
        return "add_email"
    return "email_confirmed" if standing.email_is_verified else "confirm_email"


def _passkey(standing: Standing) -> Advice | None:
    if standing.has_passkey is None:
        return None
    return "passkey_added" if standing.has_passkey else "add_passkey"


def _line(advice: Advice) -> Line:
    return Line(advice, is_done=advice in _DONE)
