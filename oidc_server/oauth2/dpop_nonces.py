"""Nonces for DPoP proofs (RFC 9449 §8): a MAC of the time, so that every node knows all of them."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from oidc_server.security import base64url

_WINDOW = timedelta(minutes=5)
NONCE_LIFETIME = 3 * _WINDOW
"""How long one is accepted: also in the window before, since the clock of another node may lead."""


class Nonces:
    """Makes and recognises nonces. They cannot be predicted, and none is stored."""

    def __init__(self, keys: Sequence[bytes], *, required: bool) -> None:
        """The first of `keys` makes nonces; those of all keys are accepted."""
        self.required = required
        self._keys = tuple(keys)
        self._known: tuple[int, tuple[str, ...]] = (-1, ())

    def current(self, now: datetime) -> str:
        """The nonce to use from here on."""
        return self._of(now)[0]

    def known_since(self, nonce: str, now: datetime) -> datetime | None:
        """The start of its window, if that is this one or an adjacent one; else None."""
        sent = nonce.encode("utf-8", "replace")
        since = None
        for index, ours in zip(_near(now) * len(self._keys), self._of(now), strict=True):
            if hmac.compare_digest(ours.encode("ascii"), sent):
                since = datetime.fromtimestamp(index * _WINDOW.total_seconds(), UTC)
        return since

    def _of(self, now: datetime) -> tuple[str, ...]:
        near = _near(now)
        window = near[0]
        made_for, nonces = self._known
        if made_for != window:
            nonces = tuple(_nonce(key, index) for key in self._keys for index in near)
            self._known = (window, nonces)
        return nonces


def _near(now: datetime) -> tuple[int, int, int]:
    window = int(now.timestamp() // _WINDOW.total_seconds())
    return window, window - 1, window + 1


def _nonce(key: bytes, window: int) -> str:
    mac = hmac.digest(key, window.to_bytes(8, "big"), "sha256")[:18]
    return base64url.encode(mac)
