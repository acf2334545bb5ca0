"""How strong a sign-in is: what was proven (`amr`, RFC 8176), and the class it reaches (`acr`)."""

from collections.abc import Collection, Sequence
from enum import StrEnum


class Factor(StrEnum):
    """What a person may prove beside their password. The order is that in which they are asked."""

    PASSKEY = "passkey"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    EMAIL_CODE = "email_code"
    ASKED_PASSKEY = "asked_passkey"
    """That a passkey is asked for after the password, not only taken instead of something else:
    one of them does not open alone, or the person wants it so. It comes with `PASSKEY`."""


STRONG = (Factor.PASSKEY, Factor.TOTP)
"""Factors of their own. A recovery code stands in for one of them. A mailed code does not: who
reads somebody's mail can also choose them a new password, so both are one factor."""

PASSWORD_ACR = "urn:oidc-server:acr:password"
"""`acr` of a sign-in with a password alone, or with no more than a mailed code beside it."""
TWO_FACTOR_ACR = "urn:oidc-server:acr:two-factor"
"""`acr` of a sign-in with two factors."""
PHISHING_RESISTANT_ACR = "phr"
"""`acr` of a sign-in with two factors of which one, a passkey, works at our address only (OpenID
Connect EAP ACR Values 1.0 §2)."""
ACR_VALUES = (PASSWORD_ACR, TWO_FACTOR_ACR, PHISHING_RESISTANT_ACR)
"""Every `acr` that a sign-in here can reach, the weakest first."""

PASSWORD = frozenset({"pwd"})
FEDERATED = frozenset({"fed"})
"""`amr` of a sign-in with another provider. RFC 8176 has no word for it: how the person proved
themselves there is not ours to tell."""
_FIRST = PASSWORD | FEDERATED
_OTP, _MAILED = frozenset({"otp"}), frozenset({"otp", "mca"})
METHODS = {Factor.TOTP: _OTP, Factor.RECOVERY_CODE: _OTP, Factor.EMAIL_CODE: _MAILED}
"""What the code of a factor adds to `amr`; a passkey adds what its authenticator tells."""
_KEYS = frozenset({"hwk", "swk"})


def with_methods(amr: frozenset[str], methods: frozenset[str]) -> frozenset[str]:
    """`amr` after `methods` were proven in one go; `mfa` once two different factors were.

    A sign-in with another provider stands in for the password, whatever was proven there.
    """
    together = amr | methods
    possession = bool(methods & _KEYS) or ("otp" in methods and "mca" not in methods)
    return together | {"mfa"} if possession and together & _FIRST else together


def mailed_code_proven(amr: frozenset[str]) -> bool:
    """Whether a mailed code was proven."""
    return "mca" in amr


def acr_of(amr: frozenset[str]) -> str:
    """The class of a sign-in with these methods."""
    if "mfa" not in amr:
        return PASSWORD_ACR
    return PHISHING_RESISTANT_ACR if amr & _KEYS else TWO_FACTOR_ACR


def reachable_acr(held: Collection[Factor]) -> str:
    """The best class that somebody with these factors can reach."""
    if Factor.PASSKEY in held:
        return PHISHING_RESISTANT_ACR
    return TWO_FACTOR_ACR if Factor.TOTP in held else PASSWORD_ACR


def included(acr: str | None) -> tuple[str, ...]:
    """The classes whose demands a sign-in of this class meets: itself, and all that are weaker."""
    return ACR_VALUES[: ACR_VALUES.index(acr) + 1] if acr in ACR_VALUES else ()


def is_asked_after_password(held: Collection[Factor], *, required: bool) -> bool:
    """Whether one of `STRONG` is asked for at every sign-in with the password.

    A passkey that opens alone says nothing of the password: it need not be at hand everywhere.
    `required` says that the operator wants a second factor of this person.
    """
    wanted = required or Factor.TOTP in held or Factor.ASKED_PASSKEY in held
    return wanted and any(factor in held for factor in STRONG)


def acr_to_tell(reached: str | None, asked: Sequence[str]) -> str | None:
    """What a client is told: what it asked for first that is met, else what is reached."""
    met = included(reached)
    return next((acr for acr in asked if acr in met), reached)
