"""Recovery codes: a set of ten, each good once, for whoever has lost their other factors."""

import hmac
import secrets
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import insert_all, new_id
from oidc_server.domain.factors.held import codes, hold
from oidc_server.security.encryption import Vault

COUNT = 10
LENGTH = 8
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without what is easily misread: 0 and o, 1, i and l."""
_PURPOSE = "recovery-code"

_INSERT = Statement(insert_all(codes))
_DELETE = Statement(delete(codes).where(codes.c.user_id == bindparam("of_user")))
_REDEEM = Statement(
    update(codes)
    .where(
        codes.c.user_id == bindparam("of_user"),
        codes.c.digest == bindparam("presented"),
        codes.c.used_at.is_(None),
    )
    .values(used_at=bindparam("now"))
)
_LEFT = Statement(
    select(func.count())
    .select_from(codes)
    .where(codes.c.user_id == bindparam("of_user"), codes.c.used_at.is_(None))
)


def normalized(code: str) -> str:
    """A typed code as it is compared: hyphens, spaces and case do not matter."""
    return "".join(code.lower().replace("-", " ").split())


def mint(db: Transaction, vault: Vault, user_id: str, now: datetime) -> list[str]:
    """Make a new set, which voids the old one; returns the codes, which are stored nowhere."""
    hold(db, user_id)
    db.later(_DELETE, of_user=user_id)
    key = vault.derive(_PURPOSE)
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(LENGTH)) for _ in range(COUNT)]
    for code in made:
        db.later(
            _INSERT,
            id=new_id(now),
            user_id=user_id,
            digest=_digest(key, user_id, code),
            created_at=now,
            used_at=None,
        )
    half = LENGTH // 2
    return [f"{code[:half]}-{code[half:]}" for code in made]


def redeem(db: Transaction, vault: Vault, user_id: str, code: str, now: datetime) -> bool:
    """Use a code once: one conditional UPDATE, so of many callers one gets it."""
    presented = normalized(code)
    claimed = [
        db.run(_REDEEM, of_user=user_id, presented=_digest(key, user_id, presented), now=now)
        for key in vault.derive_all(_PURPOSE)
    ]
    return any(claimed)


def left(db: Transaction, user_id: str) -> int:
    """How many codes of the set are unused."""
    return int(db.first(_LEFT, of_user=user_id)[0])


def _digest(key: bytes, user_id: str, code: str) -> bytes:
    return hmac.digest(key, f"{user_id}:{code}".encode("utf-8", "surrogatepass"), "sha256")
