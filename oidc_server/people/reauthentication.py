"""Proving once more who one is, before what would hurt: the one way for pages and the API.

Whoever has a password gives it again, and their guesses count with those of the sign-in. Whoever
has none must have signed in just now. A page that is left open, or a token that was stolen, is
not enough to change the address, the password or the factors of an account, or to delete it.

`begin` belongs into `before` of the endpoint, `settle` into its handler.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from oidc_server.domain import credentials
from oidc_server.domain.audit import Event
from oidc_server.people import password_proof
from oidc_server.people.password_proof import PasswordProof
from oidc_server.web.context import Context

FRESH_FOR = timedelta(minutes=5)
"""How long a sign-in is proof enough for somebody without a password."""

Refusal = Literal[
    "password_missing", "password_wrong", "throttled", "sign_in_too_old", "second_step_missing"
]
"""`second_step_missing` is told to programs; people are led to the step (`people/console.py`)."""


@dataclass(frozen=True, slots=True)
class Reauthentication:
    """What came of it: why it was refused, if it was. `retry_after` is in seconds."""

    user_id: str
    refusal: Refusal | None = None
    retry_after: int | None = None
    password: PasswordProof | None = None
    """None for somebody without a password."""
    changed_at: datetime | None = None
    """Of somebody without one: since when there is none, if there was."""

    @property
    def holds(self) -> bool:
        return self.refusal is None


Begun = Callable[[], Reauthentication] | Reauthentication
"""What came of it, or what computes that where nobody waits: for `before` of an endpoint."""


def begin(ctx: Context, user_id: str, password: str | None, auth_time: datetime) -> Begun:
    """Count the guess; returns what computes the rest, or what came of it without that.

    `auth_time` is when the person signed in: of their session, or of the grant of a token.
    """
    account = credentials.get(ctx.db, user_id)
    if account.password_hash is None:
        is_fresh = auth_time <= ctx.now <= auth_time + FRESH_FOR
        refusal: Refusal | None = None if is_fresh else "sign_in_too_old"
        return Reauthentication(user_id, refusal, changed_at=account.password_changed_at)
    if not password:
        return Reauthentication(user_id, "password_missing")
    proof = password_proof.begin_again(ctx, user_id, password)
    if isinstance(proof, PasswordProof):
        return _judged(user_id, proof)
    return lambda: _judged(user_id, proof())


def settle(ctx: Context, proof: Reauthentication) -> bool:
    """Whether it holds, in the transaction of what is to be done; a refusal is written down.

    Return the answer to a refusal, so that the trace stays.
    """
    if proof.password is not None:
        holds = proof.holds and password_proof.settle(ctx.db, proof.password, ctx.now)
    else:
        holds = proof.holds and credentials.has_still_none(ctx.db, proof.user_id, proof.changed_at)
    if not holds:
        ctx.record(
            Event.REAUTHENTICATION_FAILED,
            user_id=proof.user_id,
            reason=proof.refusal or "changed_meanwhile",
        )
    return holds


def _judged(user_id: str, proof: PasswordProof) -> Reauthentication:
    if proof.holds:
        return Reauthentication(user_id, password=proof)
    refusal: Refusal = "throttled" if proof.reason == "throttled" else "password_wrong"
    return Reauthentication(user_id, refusal, proof.retry_after, proof)
