"""Sends the mails of the outbox: makes a mail from a kind and ids, and hands it to the mail server.

No transaction is open meanwhile. A mail may arrive twice, since the process may die between sending
it and noting that; it then has the same Message-ID.
"""

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from oidc_server import languages
from oidc_server.database import ConflictError, DatabaseUnavailableError, Transaction
from oidc_server.domain import invitations, links, outbox, pending_sign_ins, users
from oidc_server.domain.links import Purpose
from oidc_server.domain.mails import MailKind
from oidc_server.domain.outbox import OutboxItem
from oidc_server.domain.users import User
from oidc_server.observability.logs import get_logger
from oidc_server.outbound.mail import Mail, MailRefusedError, MailUnavailableError
from oidc_server.web.runtime import Runtime

_LEASE = timedelta(minutes=5)
"""Longer than any conversation with a mail server lasts."""
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)

_log = get_logger(__name__)


class _Target(NamedTuple):
    """Where the link of a mail leads; with a purpose, it carries the link that was made for it."""

    route: str
    purpose: Purpose | None = None


_TARGETS = {
    MailKind.VERIFY_EMAIL: _Target("authentication.verify_email", Purpose.VERIFY_EMAIL),
    MailKind.PASSWORD_RESET: _Target("authentication.new_password", Purpose.RESET_PASSWORD),
    MailKind.ACCOUNT_EXISTS: _Target("authentication.login"),
    MailKind.CHANGE_EMAIL: _Target("authentication.change_email", Purpose.CHANGE_EMAIL),
    MailKind.EMAIL_CHANGED: _Target("authentication.undo_email_change", Purpose.UNDO_EMAIL_CHANGE),
    MailKind.INVITATION: _Target("authentication.sign_up", Purpose.INVITATION),
    MailKind.WELCOME: _Target("account.overview"),
    MailKind.SECURITY_NOTICE: _Target("authentication.not_me", Purpose.NOT_ME),
    MailKind.SIGN_IN_CODE: _Target("authentication.password_reset"),
}


class OutdatedError(Exception):
    """The mail is of no use any more."""


def deliver(runtime: Runtime, stopping: Event) -> None:
    """Send every mail that is due, the oldest first."""
    while not stopping.is_set():
        item = _next(runtime)
        if item is None or not _send(runtime, item):
            return


def _next(runtime: Runtime) -> OutboxItem | None:
    now = runtime.clock()
    with runtime.database.transaction("read") as db:
        if not outbox.is_due(db, now):
            return None
    with runtime.database.transaction("write") as db:
        return outbox.lease(db, now, _LEASE)


def _send(runtime: Runtime, item: OutboxItem) -> bool:
    """Send one mail and note the outcome; False if no other mail should be tried now."""
    facts: dict[str, Any] = {"mail": item.id, "kind": item.kind, "attempt": item.attempts}
    try:
        with runtime.database.transaction("read") as db:
            mail = compose(runtime, db, item)
        runtime.mail.send(mail)
    except (OutdatedError, MailRefusedError) as error:
        _give_up(runtime, item, str(error), facts)
    except MailUnavailableError as error:
        _postpone(runtime, item, str(error), facts)
        return error.retry_after is None
    except (DatabaseUnavailableError, ConflictError):
        raise
    except Exception as error:  # noqa: BLE001 - a mail that cannot be made must not stop the others
        _log.error("mail could not be made", exc_info=error, **facts)
        _postpone(runtime, item, type(error).__name__, facts)
    else:
        with runtime.database.transaction("write") as db:
            outbox.delivered(db, item, runtime.clock())
        _log.info("mail sent", **facts)
    return True


def _postpone(runtime: Runtime, item: OutboxItem, reason: str, facts: dict[str, Any]) -> None:
    with runtime.database.transaction("write") as db:
        is_over = outbox.failed(db, item, reason, runtime.clock())
    _log.warning("mail given up" if is_over else "mail postponed", reason=reason, **facts)


def _give_up(runtime: Runtime, item: OutboxItem, reason: str, facts: dict[str, Any]) -> None:
    with runtime.database.transaction("write") as db:
        is_over = outbox.give_up(db, item, reason, runtime.clock())
    if is_over:
        _log.warning("mail given up", reason=reason, **facts)


def compose(runtime: Runtime, db: Transaction, item: OutboxItem) -> Mail:
    """The mail that a row of the outbox means; raises `OutdatedError`."""
    kind, payload = MailKind(item.kind), item.payload
    user = users.find(db, payload["user_id"]) if payload["user_id"] else None
    if user is None and payload["user_id"]:
        raise OutdatedError("the account does not exist any more")
    target = _target(runtime, db, kind, payload["link_id"])
    language = languages.negotiate(user.locale if user else None, payload["facts"].get("language"))
    values = {
        **dict.fromkeys(("browser", "system", "address", "detail", "notice")),
        **payload["facts"],
        "code": _code(runtime, db, kind, payload["link_id"]),
        **_way(runtime, db, target, payload["link_id"]),
        **_moments(runtime, db, item, user, language),
        # A stranger may have chosen both address and name: no words of theirs until it is verified.
        "user_name": user and ((user.email_verified_at and user.name) or user.username),
        "username": user and user.username,
        "disowns": target.purpose is Purpose.NOT_ME,
    }
    templates = runtime.templates
    plain = templates.get(f"email/{kind}.txt", language).render(values)
    head, text = plain.split("\n\n", 1)
    return Mail(
        to=payload["to"],
        subject=head.removeprefix("Subject: "),
        text=text,
        html=templates.get(f"email/{kind}.html", language).render(values),
        message_id=item.id,
        language=language,
    )


def _target(runtime: Runtime, db: Transaction, kind: MailKind, link_id: str | None) -> _Target:
    """Where a mail leads. A notice is worth reading even when its link was used meanwhile."""
    if kind is MailKind.SECURITY_NOTICE:
        now = runtime.clock()
        if link_id is None or links.find(db, link_id, Purpose.NOT_ME, now) is None:
            return _Target("authentication.password_reset")
    return _TARGETS[kind]


def _moments(
    runtime: Runtime, db: Transaction, item: OutboxItem, user: User | None, language: str
) -> dict[str, str]:
    """When it happened, and until when something is possible, as the reader writes dates."""
    told = {"when": _moment(item.created_at, user, language)}
    until, link_id = item.payload["facts"].get("until"), item.payload["link_id"]
    if item.kind == MailKind.INVITATION and link_id is not None:
        expires_at, _ = _ends(db, Purpose.INVITATION, link_id, runtime.clock())
        told["until"] = _moment(expires_at, user, language)
    elif until is not None:
        told["detail"] = _moment(datetime.fromisoformat(until), user, language)
    return told


def _moment(moment: datetime, user: User | None, language: str) -> str:
    """When it was, by the clock of the person, if they told us where they are."""
    zone = user and user.zoneinfo
    local = moment.astimezone(ZoneInfo(zone) if zone else UTC)
    return languages.moment_text(language, local)


def _code(runtime: Runtime, db: Transaction, kind: MailKind, code_id: str | None) -> str | None:
    """The code that a mail carries to sign in with: like a link, it is made here from its id."""
    if kind != MailKind.SIGN_IN_CODE or code_id is None:
        return None
    if not pending_sign_ins.has_mailed_code(db, code_id, runtime.clock()):
        raise OutdatedError("the code has expired or was used")
    return pending_sign_ins.mailed_code(runtime.vault, code_id)


def _way(
    runtime: Runtime, db: Transaction, target: _Target, link_id: str | None
) -> dict[str, str | int]:
    """Where the mail's button leads, and for how long. What opens something is kept nowhere."""
    now, signed, told = runtime.clock(), None, dict[str, str | int]()
    if target.purpose is not None and link_id is not None:
        expires_at, code_expires_at = _ends(db, target.purpose, link_id, now)
        signed = runtime.links.sign(target.purpose, link_id)
        told["minutes"] = max(1, round((expires_at - now) / _MINUTE))
        told["days"] = max(1, round((expires_at - now) / _DAY))
        if code_expires_at is not None and code_expires_at > now:
            told["code"] = runtime.links.code(target.purpose, link_id)
            told["code_minutes"] = max(1, round((code_expires_at - now) / _MINUTE))
    path = runtime.paths.path(target.route, link=signed)
    return {**told, "link": runtime.issuer + path}


def _ends(
    db: Transaction, purpose: Purpose, link_id: str, now: datetime
) -> tuple[datetime, datetime | None]:
    """Until when the link works, and the code with it; raises `OutdatedError` if it is over."""
    if purpose == Purpose.INVITATION:
        invitation = invitations.find(db, link_id, now)
        if invitation is not None:
            return invitation.expires_at, None
    else:
        link = links.find(db, link_id, purpose, now)
        if link is not None and link.expires_at is not None:
            return link.expires_at, link.code_expires_at
    raise OutdatedError("the link has expired or was used")
