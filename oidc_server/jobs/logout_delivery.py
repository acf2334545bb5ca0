"""Tells clients that a session has ended (Back-Channel Logout §2.5), several at a time.

The thread of the job alone speaks to the database; a few threads speak to clients, one to each
host, so that a slow host delays nobody else; half of them at most to self-registered clients, which
can name any number of hosts. A client may be told twice, since the process may die between telling
it and saying so; the `jti` then is the same.
"""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Event
from typing import Any

from oidc_server.database import ConflictError, DatabaseUnavailableError, Transaction
from oidc_server.domain import audit, clients, outbox
from oidc_server.domain.logout_deliveries import QUEUES
from oidc_server.domain.outbox import OutboxItem, Queue
from oidc_server.oauth2.vocabulary import LOGOUT_TOKEN_TYPE
from oidc_server.observability.logs import get_logger
from oidc_server.outbound.addresses import OutboundRefusedError, OutboundUnavailableError
from oidc_server.outbound.http import Answer
from oidc_server.web.runtime import Runtime

_AT_ONCE = 16
_SELF_REGISTERED_AT_ONCE = 8
_LEASE = timedelta(seconds=15)
"""Longer than any request to a client lasts; after it, the row of a dead process is due again."""
_LOOK_AGAIN = 0.2
"""Seconds after which to look for new rows while requests are running."""
_TOKEN_LIFETIME = timedelta(minutes=2)
_EVENT = "http://schemas.openid.net/event/backchannel-logout"

_log = get_logger(__name__)
_Sending = dict[Future[Answer], tuple[OutboxItem, Queue]]


class OutdatedError(Exception):
    """The client does not exist any more, or wants no logout tokens."""


def deliver(runtime: Runtime, stopping: Event) -> None:
    """Send every logout token that is due, the oldest first."""
    sending: _Sending = {}
    if _due(runtime, sending) is None:
        return
    with ThreadPoolExecutor(_AT_ONCE, "logout") as pool:
        _send_due(runtime, stopping, pool, sending)
        while sending:
            done, _ = wait(sending, _LOOK_AGAIN, FIRST_COMPLETED)
            for future in done:
                _settle(runtime, sending.pop(future)[0], future)
            _send_due(runtime, stopping, pool, sending)


def _send_due(
    runtime: Runtime, stopping: Event, pool: ThreadPoolExecutor, sending: _Sending
) -> None:
    """Start as many deliveries as there are free threads."""
    while (
        len(sending) < _AT_ONCE
        and not stopping.is_set()
        and (queue := _due(runtime, sending)) is not None
    ):
        now = runtime.clock()
        with runtime.database.transaction("write") as db:
            item = outbox.lease(db, now, _LEASE, queue, _busy(sending))
        if item is None:
            return
        try:
            with runtime.database.transaction("read") as db:
                uri, logout_token, self_registered = compose(runtime, db, item)
        except OutdatedError as error:
            _give_up(runtime, item, str(error))
        except (DatabaseUnavailableError, ConflictError):
            raise
        except Exception as error:  # noqa: BLE001 - one that fails must not stop the others
            _fail(runtime, item, error)
        else:
            form = {"logout_token": logout_token}
            told = pool.submit(runtime.http.post, uri, form, self_registered=self_registered)
            sending[told] = item, queue


def _due(runtime: Runtime, sending: _Sending) -> Queue | None:
    """The queue to send from now; clients that an operator registered come first."""
    self_registered = sum(queue is Queue.LOGOUT_SELF_REGISTERED for _, queue in sending.values())
    queues = QUEUES if self_registered < _SELF_REGISTERED_AT_ONCE else (Queue.LOGOUT,)
    now, busy = runtime.clock(), _busy(sending)
    with runtime.database.transaction("read") as db:
        return next((queue for queue in queues if outbox.is_due(db, now, queue, busy)), None)


def _busy(sending: _Sending) -> list[str]:
    return [item.destination or "" for item, _ in sending.values()]


def compose(runtime: Runtime, db: Transaction, item: OutboxItem) -> tuple[str, str, bool]:
    """Where to, the logout token (Back-Channel Logout §2.4), whether the client is self-registered.

    Raises `OutdatedError`.
    """
    payload, now = item.payload, runtime.clock()
    client = clients.find(db, payload["client_id"])
    if client is None:
        raise OutdatedError("the client is disabled or deleted")
    uri = client.metadata.backchannel_logout_uri
    if uri is None:
        raise OutdatedError("the client has no backchannel_logout_uri any more")
    runtime.keys.refresh(db, now)
    key = runtime.keys.signer(client.metadata.id_token_signed_response_alg, now)
    issued_at = int(now.timestamp())
    claims = {
        "iss": runtime.issuer,
        "aud": client.client_id,
        "iat": issued_at,
        "exp": issued_at + int(_TOKEN_LIFETIME.total_seconds()),
        "jti": item.id,
        "sub": payload["sub"],
        "sid": payload["sid"],
        "events": {_EVENT: {}},
    }
    return uri, key.sign(claims, typ=LOGOUT_TOKEN_TYPE), client.self_registered


def _settle(runtime: Runtime, item: OutboxItem, future: Future[Answer]) -> None:
    """Write down how it went. Only what the client said decides whether it was told (§2.8)."""
    try:
        status = future.result().status
    except OutboundRefusedError as error:
        _give_up(runtime, item, str(error))
    except OutboundUnavailableError as error:
        _postpone(runtime, item, str(error))
    except Exception as error:  # noqa: BLE001 - one that fails must not stop the others
        _fail(runtime, item, error)
    else:
        if status in (200, 204):
            _delivered(runtime, item)
        elif status == 400:
            _give_up(runtime, item, "the client refused it with status 400")
        else:
            _postpone(runtime, item, f"answered {status}")


def _delivered(runtime: Runtime, item: OutboxItem) -> None:
    now = runtime.clock()
    with runtime.database.transaction("write") as db:
        outbox.delivered(db, item, now)
        _record(runtime, db, audit.Event.LOGOUT_DELIVERED, item)
    _log.info("logout delivered", **_facts(item))


def _postpone(runtime: Runtime, item: OutboxItem, reason: str) -> None:
    with runtime.database.transaction("write") as db:
        is_over = outbox.failed(db, item, reason, runtime.clock())
        if is_over:
            _record(runtime, db, audit.Event.LOGOUT_GIVEN_UP, item, reason=reason)
    what = "logout given up" if is_over else "logout postponed"
    _log.warning(what, reason=reason, **_facts(item))


def _fail(runtime: Runtime, item: OutboxItem, error: Exception) -> None:
    _log.error("logout could not be sent", exc_info=error, **_facts(item))
    _postpone(runtime, item, type(error).__name__)


def _give_up(runtime: Runtime, item: OutboxItem, reason: str) -> None:
    with runtime.database.transaction("write") as db:
        if not outbox.give_up(db, item, reason, runtime.clock()):
            return
        _record(runtime, db, audit.Event.LOGOUT_GIVEN_UP, item, reason=reason)
    _log.warning("logout given up", reason=reason, **_facts(item))


def _record(
    runtime: Runtime, db: Transaction, event: audit.Event, item: OutboxItem, **detail: Any
) -> None:
    audit.record(
        db,
        event,
        origin=audit.JOBS,
        now=runtime.clock(),
        user_id=item.payload["user_id"],
        client_id=item.payload["client_id"],
        delivery=item.id,
        sid=item.payload["sid"],
        attempts=item.attempts,
        **detail,
    )


def _facts(item: OutboxItem) -> dict[str, Any]:
    return {
        "delivery": item.id,
        "client_id": item.payload["client_id"],
        "attempt": item.attempts,
    }
