"""The audit log: append-only rows that say who did what to whom, from where, and how it ended.

What may be asked of it, and how long it is kept, is in `audit_trail.py`.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import (
    Base,
    Document,
    Identifier,
    Instant,
    OptionalDocument,
    insert_all,
    new_id,
    table_of,
)
from oidc_server.observability import logs, metrics
from oidc_server.observability.redaction import clean_text


class Event(StrEnum):
    """What happened. Names are stable: operators filter by them."""

    SIGNED_IN = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    FIRST_STEP_TAKEN = "sign_in.first_step"
    SECOND_STEP_FAILED = "sign_in.second_step_failed"
    SIGN_IN_DISOWNED = "user.sign_in_disowned"
    DEVICE_TRUSTED = "device.trusted"
    TRUST_WITHDRAWN = "device.trust_withdrawn"
    FACTOR_ADDED = "factor.added"
    FACTOR_REMOVED = "factor.removed"
    FACTORS_RESET = "factor.all_removed"
    RECOVERY_CODES_MADE = "factor.recovery_codes_made"
    RECOVERY_CODE_USED = "factor.recovery_code_used"
    SIGNED_OUT = "session.ended"
    LOGOUT_DELIVERED = "logout.delivered"
    LOGOUT_GIVEN_UP = "logout.given_up"
    SIGNED_UP = "user.signed_up"
    USER_CREATED = "user.created"
    USER_EDITED = "user.edited"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    EMAIL_VERIFIED = "user.email_verified"
    EMAIL_CHANGE_ASKED = "user.email_change_asked"
    EMAIL_CHANGED = "user.email_changed"
    EMAIL_CHANGE_UNDONE = "user.email_change_undone"
    DELETION_SCHEDULED = "user.deletion_scheduled"
    DELETION_CANCELLED = "user.deletion_cancelled"
    USER_DELETED = "user.deleted"
    DATA_EXPORTED = "user.data_exported"
    CODE_REFUSED = "user.mailed_code_refused"
    REAUTHENTICATION_FAILED = "reauthentication.failed"
    PASSWORD_RESET_ASKED = "user.password_reset_asked"
    PASSWORD_CHANGED = "user.password_changed"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_RENAMED = "passkey.renamed"
    PASSKEY_REMOVED = "passkey.removed"
    PASSKEY_STEP_ON = "passkey.second_step_on"
    PASSKEY_STEP_OFF = "passkey.second_step_off"
    PASSKEY_COPIED = "passkey.copy_suspected"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"
    CONSENT_GIVEN = "consent.given"
    CONSENT_DENIED = "consent.denied"
    CONSENT_WITHDRAWN = "consent.withdrawn"
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
    REGISTRATION_REFUSED = "client.registration_refused"
    REGISTRATION_TOKEN_CREATED = "registration_token.created"
    REGISTRATION_TOKEN_REVOKED = "registration_token.revoked"
    ISSUER_TRUSTED = "issuer.trusted"
    ISSUER_REMOVED = "issuer.removed"
    PROVIDER_ADDED = "provider.added"
    PROVIDER_CHANGED = "provider.changed"
    PROVIDER_DISABLED = "provider.disabled"
    PROVIDER_ENABLED = "provider.enabled"
    PROVIDER_REMOVED = "provider.removed"
    INVITATION_CREATED = "invitation.created"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_USED = "invitation.used"
    ROLE_CREATED = "role.created"
    ROLE_CHANGED = "role.changed"
    ROLE_DELETED = "role.deleted"
    ROLE_GIVEN = "role.given"
    ROLE_TAKEN = "role.taken"
    RESOURCE_CREATED = "resource.created"
    RESOURCE_CHANGED = "resource.changed"
    RESOURCE_DELETED = "resource.deleted"
    CREDIT_ADDED = "credit.added"
    CREDIT_REFUNDED = "credit.refunded"
    CREDIT_ADJUSTED = "credit.adjusted"
    KEY_CREATED = "signing_key.created"
    KEY_ROTATED = "signing_key.rotated"
    KEY_REVOKED = "signing_key.revoked"
    OPERATION_REFUSED = "operation.refused"
    AUDIT_EXPORTED = "audit.exported"
    SET_UP = "server.set_up"
    BACKED_UP = "server.backed_up"
    RESTORED = "server.restored"
    COPIED = "server.copied"
    EXPORTED = "server.exported"
    IMPORTED = "server.imported"
    SETUP_LINK_SHOWN = "server.setup_link_shown"

    @property
    def outcome(self) -> "Outcome":
        return Outcome.FAILURE if self in _FAILURES else Outcome.SUCCESS


class Outcome(StrEnum):
    """How it ended: whether what was tried came about."""

    SUCCESS = "success"
    FAILURE = "failure"


_FAILURES = frozenset(
    {
        Event.SIGN_IN_FAILED,
        Event.CODE_REFUSED,
        Event.REAUTHENTICATION_FAILED,
        Event.LOGOUT_GIVEN_UP,
        Event.CONSENT_DENIED,
        Event.DEVICE_DENIED,
        Event.USER_CODE_REFUSED,
        Event.CODE_REPLAYED,
        Event.REFRESH_TOKEN_REPLAYED,
        Event.CLIENT_REFUSED,
        Event.REGISTRATION_REFUSED,
        Event.OPERATION_REFUSED,
    }
)
_TOLD = (
    "outcome",
    "actor",
    "actor_user_id",
    "actor_client_id",
    "user_id",
    "client_id",
    "reference",
)
"""Columns of an event that are written to the log."""
_SIGN_INS = {
    Event.SIGNED_IN: "succeeded",
    Event.SIGN_IN_FAILED: "failed",
    Event.SECOND_STEP_FAILED: "second_step_failed",
}
_BY_ANYBODY = frozenset(
    {
        Event.SIGN_IN_FAILED,
        Event.PASSWORD_RESET_ASKED,
        Event.CLIENT_REFUSED,
        Event.REGISTRATION_REFUSED,
    }
)
"""Events of unauthenticated actors: `user_id` is whom they are about, not who acted."""
_BY_CLIENT = frozenset(
    {
        Event.CODE_REPLAYED,
        Event.REFRESH_TOKEN_REPLAYED,
        Event.GRANT_REVOKED,
        Event.ASSERTION_ACCEPTED,
        Event.TOKEN_EXCHANGED,
        Event.TOKEN_REVOKED,
    }
)
"""Events whose actor is a client, even though `user_id` is set."""


class ActorKind(StrEnum):
    """What kind of actor did something."""

    USER = "user"
    CLIENT = "client"
    COMMAND_LINE = "command_line"
    SERVER = "server"
    """A job of the server."""
    NOBODY = "nobody"
    """Somebody who is not authenticated."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person, through a client if they use the API; a client for itself."""

    kind: ActorKind
    user_id: str | None = None
    client_id: str | None = None


class Origin(NamedTuple):
    """Where a request came from: reference id, the address it counts for, user agent, and who.

    Without an actor, whoever an event is about did it themselves.
    """

    reference: str
    address: str
    user_agent: str
    actor: Actor | None = None

    def of(self, *, client_id: str, user_id: str | None) -> "Origin":
        """The same with whoever calls the API: a person through a client, or the client alone."""
        kind = ActorKind.CLIENT if user_id is None else ActorKind.USER
        return self._replace(actor=Actor(kind, user_id, client_id))


COMMAND_LINE = Origin("cli", "local", "oidc-server", Actor(ActorKind.COMMAND_LINE))
JOBS = Origin("jobs", "local", "oidc-server", Actor(ActorKind.SERVER))
START = Origin("start", "local", "oidc-server", Actor(ActorKind.SERVER))


class AuditEvent(Base):
    """One row of the audit log. The database refuses to change it, and to delete it before time.

    `user_id` and `client_id` are whom it is about; `before` and `after` hold what was changed.
    """

    __tablename__ = "audit_events"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    event: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    actor_user_id: Mapped[str | None] = mapped_column(Identifier)
    actor_client_id: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[str | None] = mapped_column(Identifier)
    client_id: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(Document)
    before: Mapped[dict[str, Any] | None] = mapped_column(OptionalDocument)
    after: Mapped[dict[str, Any] | None] = mapped_column(OptionalDocument)

    # Ids count up with time, so each index gives its rows in order, and any stretch of time.
    __table_args__ = (
        Index("ix_audit_events_event_id", "event", "id"),
        Index("ix_audit_events_actor_id", "actor", "id"),
        *(
            Index(
                f"ix_audit_events_{column}_id",
                column,
                "id",
                sqlite_where=text(condition),
                postgresql_where=text(condition),
            )
            for column, condition in (
                ("outcome", "outcome = 'failure'"),
                ("actor_user_id", "actor_user_id IS NOT NULL"),
                ("actor_client_id", "actor_client_id IS NOT NULL"),
                ("user_id", "user_id IS NOT NULL"),
                ("client_id", "client_id IS NOT NULL"),
            )
        ),
    )


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
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **detail: Any,
) -> None:
    """Append one event. What it is told of holds names and ids, never a secret.

    Of `before` and `after`, two states of one thing, the members that differ are kept.
    """
    was, is_now = _difference(before, after)
    actor = origin.actor or _by_themselves(event, user_id, client_id)
    row = {
        "id": new_id(now),
        "at": now,
        "event": event.value,
        "outcome": event.outcome.value,
        "actor": actor.kind.value,
        "actor_user_id": actor.user_id,
        "actor_client_id": actor.client_id,
        "user_id": user_id,
        "client_id": client_id,
        "reference": origin.reference,
        "address": origin.address,
        "user_agent": origin.user_agent[:400],
        "detail": detail,
        "before": was,
        "after": is_now,
    }
    db.later(_RECORD, **row)
    db.afterwards(partial(_tell, event, row))


def _tell(event: Event, row: Mapping[str, Any]) -> None:
    """Log and count an event, after its commit."""
    metrics.AUDIT_EVENTS.labels(event.value).inc()
    if (outcome := _SIGN_INS.get(event)) is not None:
        metrics.SIGN_INS.labels(outcome).inc()
    told = {name: row[name] for name in _TOLD} | {"reason": row["detail"].get("reason")}
    fields = {name: clean_text(str(value)) for name, value in told.items() if value is not None}
    logs.write_clean(logging.INFO, __name__, "audit", {"audit_event": event.value, **fields})


def _difference(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    if before is None or after is None:
        return before, after
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def _by_themselves(event: Event, user_id: str | None, client_id: str | None) -> Actor:
    if event not in _BY_ANYBODY:
        if user_id is not None and event not in _BY_CLIENT:
            return Actor(ActorKind.USER, user_id)
        if client_id is not None:
            return Actor(ActorKind.CLIENT, None, client_id)
    return Actor(ActorKind.NOBODY)
