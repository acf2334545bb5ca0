"""Second factors: what a person proves beside their password, and how strong that is.

`strength.py` is the vocabulary (`Factor`, `amr`, `acr`), `held.py` the table and what is asked of
it at every sign-in; `totp.py` and `recovery_codes.py` are the kinds that keep something.
"""

from oidc_server.domain.factors.held import (
    ENROLMENT_LIFETIME,
    FactorRow,
    HeldFactor,
    RecoveryCode,
    add_mailed_codes,
    held_by,
    hold,
    list_factors,
    prune,
    remove,
    remove_all,
    remove_needless_codes,
    remove_newer,
)
from oidc_server.domain.factors.strength import Factor

__all__ = [
    "ENROLMENT_LIFETIME",
    "Factor",
    "FactorRow",
    "HeldFactor",
    "RecoveryCode",
    "add_mailed_codes",
    "held_by",
    "hold",
    "list_factors",
    "prune",
    "remove",
    "remove_all",
    "remove_needless_codes",
    "remove_newer",
]
