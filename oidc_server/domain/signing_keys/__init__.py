"""Signing keys: published ahead, then signing, then retiring with their last token.

`timeline` holds the table and says where a key stands, `rotation` changes it, `ring` is what a
process signs and verifies with. See ADR 0009.
"""

from oidc_server.domain.signing_keys.ring import KeyRing, NoSigningKeyError
from oidc_server.domain.signing_keys.rotation import (
    PUBLISHED_AHEAD,
    TAKES_EFFECT_AFTER,
    FreshKeys,
    Revocation,
    Rotation,
    due,
    ensure,
    forget_private,
    generate,
    missing,
    prune,
    revoke,
    rotate,
    rotate_if_due,
)
from oidc_server.domain.signing_keys.timeline import RETIRING, KeyTimes, SigningKeyRow, timeline

__all__ = [
    "PUBLISHED_AHEAD",
    "RETIRING",
    "TAKES_EFFECT_AFTER",
    "FreshKeys",
    "KeyRing",
    "KeyTimes",
    "NoSigningKeyError",
    "Revocation",
    "Rotation",
    "SigningKeyRow",
    "due",
    "ensure",
    "forget_private",
    "generate",
    "missing",
    "prune",
    "revoke",
    "rotate",
    "rotate_if_due",
    "timeline",
]
