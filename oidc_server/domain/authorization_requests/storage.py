"""The rules of stored requests: who may open one, until when, and that it is answered once."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain.authorization_requests.model import (
    AuthorizationRequest,
    StoredAuthorizationRequest,
)
from oidc_server.domain.base import delete_some, insert_all, new_id, parse_id, table_of
from oidc_server.security import opaque_tokens

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
"""What a `request_uri` begins with that we gave out (RFC 9126 §2.2)."""

_requests = table_of(StoredAuthorizationRequest)
_COLUMNS = tuple(column.name for column in _requests.columns)
_INSERT = Statement(insert_all(_requests))
_SELECT = select(
    _requests.c.id,
    _requests.c.parameters,
    _requests.c.created_at,
    _requests.c.selected_by,
    _requests.c.consented_by,
).where(
    _requests.c.browser_digest == bindparam("browser"),
    _requests.c.expires_at > bindparam("now"),
    _requests.c.completed_at.is_(None),
)
_FIND = Statement(_SELECT.where(_requests.c.id == bindparam("request_id")))
_pushed = (
    _requests.c.request_uri_digest == bindparam("handle"),
    _requests.c.request_uri_expires_at > bindparam("now"),
    _requests.c.client_id == bindparam("of_client"),
)
_FIND_PUSHED = Statement(_SELECT.where(*_pushed))
_OPEN_PUSHED = Statement(
    update(_requests)
    .where(*_pushed, _requests.c.browser_digest.is_(None))
    .values(
        browser_digest=bindparam("browser"),
        created_at=bindparam("opened_at"),
        expires_at=bindparam("until"),
    )
)
_ADOPT = Statement(
    update(_requests)
    .where(_requests.c.id == bindparam("request_id"), _requests.c.browser_digest.is_(None))
    .values(browser_digest=bindparam("digest"), created_at=bindparam("adopted_at"))
)
_CONSENT = Statement(
    update(_requests)
    .where(_requests.c.id == bindparam("request_id"), _requests.c.completed_at.is_(None))
    .values(consented_by=bindparam("user_id"))
)
_SELECT_ACCOUNT = Statement(
    update(_requests)
    .where(_requests.c.id == bindparam("request_id"), _requests.c.completed_at.is_(None))
    .values(selected_by=bindparam("user_id"))
)
_COMPLETE = Statement(
    update(_requests)
    .where(_requests.c.id == bindparam("request_id"), _requests.c.completed_at.is_(None))
    .values(completed_at=bindparam("now"))
)
_PRUNE = Statement(delete_some(_requests, _requests.c.expires_at < bindparam("now")))


def store(
    db: Transaction, request: AuthorizationRequest, browser: str | None, *, lifetime: timedelta
) -> AuthorizationRequest:
    """Keep a request while its person signs in or decides; returns it with its id.

    Without a browser it waits for the first one that resumes it.
    """
    return _insert(
        db,
        request,
        lifetime,
        browser_digest=None if browser is None else opaque_tokens.digest(browser),
    )


def push(db: Transaction, request: AuthorizationRequest, *, lifetime: timedelta) -> str:
    """Keep a request that a client pushed; returns its `request_uri` (RFC 9126 §2.2)."""
    handle = opaque_tokens.mint()
    _insert(
        db,
        request,
        lifetime,
        request_uri_digest=opaque_tokens.digest(handle),
        request_uri_expires_at=request.created_at + lifetime,
    )
    return REQUEST_URI_PREFIX + handle


def open_pushed(
    db: Transaction,
    request_uri: str,
    client_id: str,
    browser: str,
    now: datetime,
    *,
    lifetime: timedelta,
) -> AuthorizationRequest | None:
    """The pushed request, which belongs to this browser from now on and begins now.

    It may be opened again by the same browser until it expires or is completed (RFC 9126 §4). None
    when it is unknown, expired, completed, of another client or of another browser.
    """
    pushed = {
        "handle": opaque_tokens.digest(request_uri.removeprefix(REQUEST_URI_PREFIX)),
        "of_client": client_id,
        "browser": opaque_tokens.digest(browser),
        "now": now,
    }
    db.later(_OPEN_PUSHED, **pushed, opened_at=now, until=now + lifetime)
    row = db.first(_FIND_PUSHED, **pushed)
    return _from_row(row) if row else None


def find(
    db: Transaction, request_id: str, browser: str, now: datetime
) -> AuthorizationRequest | None:
    """The open request; None when unknown, expired, completed or of another browser."""
    parsed = parse_id(request_id)
    if parsed is None:
        return None
    row = db.first(_FIND, request_id=parsed, browser=opaque_tokens.digest(browser), now=now)
    return _from_row(row) if row else None


def adopt(
    db: Transaction, request_id: str, browser: str, now: datetime
) -> AuthorizationRequest | None:
    """Like `find`; a request that waits for a browser belongs to this one from now on.

    It begins now, as a pushed one does: a sign-in of before is none for it.
    """
    known = find(db, request_id, browser, now)
    parsed = parse_id(request_id)
    if known is not None or parsed is None:
        return known
    db.later(_ADOPT, request_id=parsed, digest=opaque_tokens.digest(browser), adopted_at=now)
    return find(db, parsed, browser, now)


def consent(db: Transaction, request_id: str, user_id: str) -> None:
    """Note that this user answered the consent page of this request with yes."""
    db.later(_CONSENT, request_id=request_id, user_id=user_id)


def select_account(db: Transaction, request_id: str, user_id: str) -> None:
    """Note that this user answered the page of accounts of this request with "that is me"."""
    db.later(_SELECT_ACCOUNT, request_id=request_id, user_id=user_id)


def complete(db: Transaction, request_id: str, now: datetime) -> bool:
    """Close a request; False when it was closed before, so that one request makes one answer."""
    return db.run(_COMPLETE, request_id=request_id, now=now) == 1


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete requests that have expired; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)


def _insert(
    db: Transaction, request: AuthorizationRequest, lifetime: timedelta, **values: Any
) -> AuthorizationRequest:
    stored = replace(request, id=new_id(request.created_at))
    filled = {
        "id": stored.id,
        "client_id": stored.client_id,
        "parameters": _to_document(stored),
        "created_at": stored.created_at,
        "expires_at": stored.created_at + lifetime,
        **values,
    }
    db.later(_INSERT, **(dict.fromkeys(_COLUMNS) | filled))
    return stored


_NOT_PARAMETERS = ("id", "selected_by", "consented_by", "created_at")


def _to_document(request: AuthorizationRequest) -> dict[str, Any]:
    document = asdict(request)
    for name in _NOT_PARAMETERS:
        del document[name]
    document["scopes"] = sorted(request.scopes)
    document["prompt"] = sorted(request.prompt)
    document["resources"] = list(request.resources)
    document["acr_values"] = list(request.acr_values)
    return document


def _from_row(row: Any) -> AuthorizationRequest:
    values = dict(row.parameters)
    return AuthorizationRequest(
        **{
            **values,
            "scopes": frozenset(values["scopes"]),
            "prompt": frozenset(values["prompt"]),
            "resources": tuple(values["resources"]),
            "acr_values": tuple(values["acr_values"]),
        },
        created_at=row.created_at,
        id=row.id,
        selected_by=row.selected_by,
        consented_by=row.consented_by,
    )
