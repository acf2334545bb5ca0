"""Signing keys: where each stands in its life, new ones, and the end of one that has leaked."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from oidc_server.api.access import administration, promising_token
from oidc_server.api.models import Answer, Body
from oidc_server.api.operations import Call, Operation
from oidc_server.domain import signing_keys
from oidc_server.domain.audit import Event
from oidc_server.domain.signing_keys import KeyTimes, Rotation
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.security.jose import ALGORITHMS
from oidc_server.web.context import Context
from oidc_server.web.errors import InvalidFieldsError, ProblemError, types


class KeyRotation(Body):
    """Which keys get a successor, and when it takes over."""

    algorithms: list[str] | None = Field(
        default=None, max_length=20, description="Only these; else all."
    )
    at_once: bool = Field(
        default=False,
        description="Sign with the new keys in seconds, not in a day: for when a key has leaked.",
    )


class KeyAnswer(Answer):
    """One key, without the key."""

    kid: str
    alg: str
    state: Literal["next", "signing", "retiring", "retired", "revoked"]
    published_at: datetime
    signs_from: datetime | None
    signs_until: datetime | None
    leaves_at: datetime | None


class KeysAnswer(Answer):
    """Every key, in the order in which they sign."""

    keys: list[KeyAnswer]


class RotationAnswer(Answer):
    """The new keys, those waiting ones that they made superfluous, and when they take over."""

    new_keys: list[str]
    withdrawn: list[str]
    signs_from: datetime


class RevocationAnswer(Answer):
    """When the key leaves the JWKS, and the key that replaces it, if one has to."""

    kid: str
    leaves_at: datetime
    replaced_by: str | None


def list_keys(call: Call) -> KeysAnswer:
    return KeysAnswer(
        keys=[_answer(key, call.ctx.now) for key in signing_keys.timeline(call.ctx.db)]
    )


def generate(ctx: Context) -> Callable[[], dict[str, Any]] | dict[str, Any]:
    """Ahead of the operations that may need new keys: makes them where nobody waits.

    Not for everybody who knocks: the operation itself will refuse a token that is not good here.
    """
    if promising_token(ctx, ApiScope.KEYS_WRITE) is None:
        return {}
    return lambda: signing_keys.generate(ALGORITHMS)


def rotate_keys(call: Call) -> RotationAnswer:
    """Publish new keys now; they sign a day later, when every cache knows them."""
    body, ctx = call.body, call.ctx
    wanted = dict.fromkeys(ALGORITHMS if body.algorithms is None else body.algorithms)
    if not wanted or not set(wanted) <= set(ALGORITHMS):
        these = ", ".join(ALGORITHMS)
        raise InvalidFieldsError((["algorithms"], f"Name some of {these}, or leave it out."))

    fresh = {alg: ctx.proof[alg] for alg in wanted}
    done = signing_keys.rotate(ctx.db, ctx.runtime.vault, fresh, ctx.now, at_once=body.at_once)

    _record(call, done)
    return RotationAnswer(new_keys=done.new, withdrawn=done.withdrawn, signs_from=done.signs_from)


def revoke_key(call: Call) -> RevocationAnswer:
    """Let a key die in seconds, with all it signed."""
    ctx, kid = call.ctx, call.path["kid"]

    done = signing_keys.revoke(ctx.db, ctx.runtime.vault, kid, ctx.proof, ctx.now)

    if done is None:
        raise ProblemError(types.NOT_FOUND, "There is no such key, or it was revoked before.")
    if done.rotation is not None:
        _record(call, done.rotation)
    call.ctx.record(Event.KEY_REVOKED, kid=kid)
    replaced_by = done.rotation.new[0] if done.rotation is not None else None
    return RevocationAnswer(kid=kid, leaves_at=done.takes_effect_at, replaced_by=replaced_by)


def _record(call: Call, rotation: Rotation) -> None:
    for event, kids in (
        (Event.KEY_ROTATED, rotation.new),
        (Event.KEY_REVOKED, rotation.withdrawn),
    ):
        for kid in kids:
            call.ctx.record(event, kid=kid)


def _answer(key: KeyTimes, now: datetime) -> KeyAnswer:
    return KeyAnswer(
        kid=key.kid,
        alg=key.alg,
        state=key.state(now),
        published_at=key.published_at,
        signs_from=key.signs_from,
        signs_until=key.signs_until if key.signs_from else None,
        leaves_at=key.leaves_at,
    )


_KID = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
_NEXT = "2oUYI0y1E1uJjGEXnE0CTHHkqpxQxSgh2w6v0ltRLZA"
_EXAMPLE = {
    "kid": _KID,
    "alg": "ES256",
    "state": "signing",
    "published_at": "2026-01-04T09:00:00Z",
    "signs_from": "2026-01-05T09:00:00Z",
    "signs_until": None,
    "leaves_at": None,
}
_WRITES: dict[str, Any] = {
    "method": "POST",
    "rule": administration(ApiScope.KEYS_WRITE),
    "before": generate,
}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/admin/signing-keys",
        name="admin_api.signing_keys",
        summary="List signing keys",
        description="Each is next, signing, retiring, retired or revoked, at its times.",
        rule=administration(ApiScope.KEYS_READ),
        handler=list_keys,
        answer=KeysAnswer,
        answer_example={"keys": [_EXAMPLE]},
    ),
    Operation(
        path="/api/v1/admin/signing-keys/rotate",
        name="admin_api.rotate_signing_keys",
        summary="Make new signing keys",
        description="They are published in seconds and sign a day later, when every cache knows"
        " them; keys rotate by themselves, too.",
        handler=rotate_keys,
        body=KeyRotation,
        answer=RotationAnswer,
        body_example={"algorithms": ["ES256"], "at_once": False},
        answer_example={
            "new_keys": [_NEXT],
            "withdrawn": [],
            "signs_from": "2026-01-06T09:00:10Z",
        },
        **_WRITES,
    ),
    Operation(
        path="/api/v1/admin/signing-keys/{kid}/revoke",
        name="admin_api.revoke_signing_key",
        summary="Revoke a signing key that has leaked",
        description="It leaves the JWKS in seconds, and nothing it signed is good any more. If"
        " nobody else could sign, a new key takes over first.",
        handler=revoke_key,
        answer=RevocationAnswer,
        answer_example={
            "kid": _KID,
            "leaves_at": "2026-01-05T09:00:15Z",
            "replaced_by": _NEXT,
        },
        **_WRITES,
    ),
)
