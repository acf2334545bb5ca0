"""The audit log: append-only rows that say who did what, from where, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import (
    Base,
    Document,
    Identifier,
    Instant,
    insert_all,
    new_id,
    table_of,
)


class Event(StrEnum):
    """What happened. Names are stable: operators filter by them."""

    SIGNED_IN = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    FIRST_STEP_TAKEN = "sign_in.first_step"
    SECOND_STEP_FAILED = "sign_in.second_step_failed"
    RECOVERY_CODE_USED = "factor.recovery_code_used"
    SIGNED_OUT = "session.ended"
    LOGOUT_DELIVERED = "logout.delivered"
    LOGOUT_GIVEN_UP = "logout.given_up"
    SIGNED_UP = "user.signed_up"
    USER_CREATED = "user.created"
    USER_EDITED = "user.edited"
    EMAIL_VERIFIED = "user.email_verified"
    PASSWORD_RESET_ASKED = "user.password_reset_asked"
    PASSWORD_CHANGED = "user.password_changed"
    CONSENT_GIVEN = "consent.given"
    CONSENT_DENIED = "consent.denied"
    DEVICE_APPROVED = "device.approved"
    DEVICE_DENIED = "device.denied"
    USER_CODE_REFUSED = "device.user_code_refused"
    CODE_REPLAYED = "grant.code_replayed"
    REFRESH_TOKEN_REPLAYED = "grant.refresh_token_replayed"
    GRANT_REVOKED = "grant.revoked"
    ASSERTION_ACCEPTED = "grant.assertion_accepted"
    TOKEN_EXCHANGED = "token.exchanged"
    TOKEN_REVOKED = "token.revoked"
    CLIENT_CREATED = "client.created"
    CLIENT_REGISTERED = "client.registered"
    CLIENT_CHANGED = "client.changed"
    CLIENT_DISABLED = "client.disabled"
    CLIENT_ENABLED = "client.enabled"
    CLIENT_DELETED = "client.deleted"
    CLIENT_SECRET_ROTATED = "client.secret_rotated"
    CLIENT_REFUSED = "client.authentication_failed"
    REGISTRATION_TOKEN_CREATED = "registration_token.created"
    REGISTRATION_TOKEN_REVOKED = "registration_token.revoked"
    ISSUER_TRUSTED = "issuer.trusted"
    ISSUER_REMOVED = "issuer.removed"
    RESOURCE_CREATED = "resource.created"
    ROLE_CREATED = "role.created"
    ROLE_CHANGED = "role.changed"
    ROLE_DELETED = "role.deleted"
    ROLE_GIVEN = "role.given"
    ROLE_TAKEN = "role.taken"
    KEY_ROTATED = "signing_key.rotated"
    KEY_REVOKED = "signing_key.revoked"
    SET_UP = "server.set_up"


@dataclass(frozen=True)
class Origin:
    """Where a request came from: reference id, the address it counts for, user agent."""

    reference: str
    address: str
    user_agent: str


COMMAND_LINE = Origin("cli", "local", "oidc-server")


class AuditEvent(Base):
    """One row of the audit log. Nothing updates or deletes it but retention."""

    __tablename__ = "audit_events"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    event: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str | None] = mapped_column(Identifier)
    client_id: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(Document)

    __table_args__ = (Index("ix_audit_events_user_id_at", "user_id", "at"),)


_events = table_of(AuditEvent)
_RECORD = Statement(insert_all(_events))


def record(
    db: Transaction,
    event: Event,
    *,
    origin: Origin,
    now: datetime,
    user_id: str | None = None,
    client_id: str | None = None,
    **detail: Any,
) -> None:
    """Append one event. `detail` holds names and ids, never a secret."""
    db.run(
        _RECORD,
        id=new_id(now),
        at=now,
        event=event.value,
        user_id=user_id,
        client_id=client_id,
        reference=origin.reference,
        address=origin.address,
        user_agent=origin.user_agent[:400],
        detail=detail,
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The members that differ, each as it was and as it is. Give it no secret."""
    return {
        name: {"before": before.get(name), "after": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }
