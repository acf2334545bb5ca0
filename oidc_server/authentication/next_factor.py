"""What is still missing from a sign-in: one pure decision."""

from dataclasses import dataclass

from oidc_server.domain.factors.strength import (
    PHISHING_RESISTANT_ACR,
    STRONG,
    TWO_FACTOR_ACR,
    Factor,
    acr_of,
    included,
    is_asked_after_password,
    mailed_code_proven,
)


@dataclass(frozen=True)
class Ask:
    """Ask for one of these, of which the first is proposed."""

    factors: tuple[Factor, ...]


@dataclass(frozen=True)
class Enrol:
    """This person has nothing to be asked for, and must set something up first."""


@dataclass(frozen=True)
class Done:
    """Nothing is missing: sign them in."""


Missing = Ask | Enrol | Done
_STRONGER = (TWO_FACTOR_ACR, PHISHING_RESISTANT_ACR)


def next_factor(
    held: frozenset[Factor],
    amr: frozenset[str],
    *,
    acr: str | None = None,
    trusted: bool = False,
    required: bool = False,
) -> Missing:
    """Decide, for somebody who holds these factors and has proven `amr`.

    `acr` is the class that the sign-in is for; a device that is trusted never reaches one.
    `required` says that the operator wants a second factor of this person. An `acr` that the person
    cannot reach is not asked for here: the dispatcher tells the client.

    Pure, so that every row of the truth table is one line in a test.
    """
    reached = included(acr_of(amr))
    if acr == PHISHING_RESISTANT_ACR and Factor.PASSKEY in held and acr not in reached:
        return Ask((Factor.PASSKEY,))
    if TWO_FACTOR_ACR in reached:
        return Done()
    strong = tuple(factor for factor in STRONG if factor in held)
    if is_asked_after_password(held, required=required) or (strong and acr in _STRONGER):
        if trusted and acr not in _STRONGER:
            return Done()
        stand_in = (Factor.RECOVERY_CODE,) if Factor.RECOVERY_CODE in held else ()
        return Ask(strong + stand_in)
    # Before anything may be set up, what there is must be proven.
    if Factor.EMAIL_CODE in held and not trusted and not mailed_code_proven(amr):
        return Ask((Factor.EMAIL_CODE,))
    return Enrol() if required else Done()
