"""What a person can do to make their account safer: the list of the overview."""

from dataclasses import dataclass
from typing import Literal

Advice = Literal["add_email", "confirm_email", "email_confirmed"]
"""A line of the list; its words are in `templates/account/improvements.html`."""

_DONE: frozenset[Advice] = frozenset({"email_confirmed"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the advice is drawn from."""

    has_email: bool
    email_is_verified: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line: something to do, or something that is done."""

    advice: Advice
    is_done: bool


def improvements(standing: Standing) -> list[Line]:
    """A line for each thing that can be better or is good already; what is to be done first."""
    return sorted(map(_line, (_email(standing),)), key=lambda line: line.is_done)


def _email(standing: Standing) -> Advice:
    if not standing.has_email:
        return "add_email"
    return "email_confirmed" if standing.email_is_verified else "confirm_email"


def _line(advice: Advice) -> Line:
    return Line(advice, is_done=advice in _DONE)
