"""Nonces for DPoP proofs (RFC 9449 §8): a MAC of the time, so that every node knows all of them."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from oidc_server.security import base64url

_WINDOW = timedelta(minutes=5)
NONCE_LIFETIME = 3 * _WINDOW
"""From the first moment to the last at which one is taken: the clock of another node may lead."""


class Nonces:
    """Makes and knows nonces. Nobody foresees one, and nothing is stored."""

    def __init__(self, keys: Sequence[bytes], *, required: bool) -> None:
        """The first of `keys` makes nonces, all of them are known."""
        self.required = required
        self._keys = tuple(keys)
        self._known: tuple[int, tuple[str, ...]] = (-1, ())

    def current(self, now: datetime) -> str:
        """The nonce to use from here on."""
        return self._of(now)[0]

    def knows(self, nonce: str, now: datetime) -> bool:
        """Whether it is a nonce of ours, of this window or of one beside it."""
        sent = nonce.encode("utf-8", "replace")
        known = False
        for ours in self._of(now):
            known |= hmac.compare_digest(ours.encode("ascii"), sent)
        return known

    def _of(self, now: datetime) -> tuple[str, ...]:
        window = int(now.timestamp() // _WINDOW.total_seconds())
        made_for, nonces = self._known
        if made_for != window:
            near = (window, window - 1, window + 1)
            nonces = tuple(_nonce(key, index) for key in self._keys for index in near)
            self._known = (window, nonces)
        return nonces


def _nonce(key: bytes, window: int) -> str:
    mac = hmac.digest(key, window.to_bytes(8, "big"), "sha256")[:18]
    return base64url.encode(mac)
