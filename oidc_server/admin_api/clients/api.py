"""What the operations on clients do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from oidc_server.admin_api.clients.limits import require_as_much
from oidc_server.admin_api.clients.models import (
    ClientAnswer,
    ClientsPage,
    ClientSummary,
    ClientWithSecret,
    LiveSecret,
    SecretAnswer,
)
from oidc_server.api.lists import ForeignCursorError, read_cursor, write_cursor
from oidc_server.api.operations import Call
from oidc_server.domain import client_metadata, client_registrations, clients
from oidc_server.domain.audit import Event
from oidc_server.domain.client_metadata import (
    OPERATORS_FIELDS,
    InvalidClientMetadataError,
)
from oidc_server.domain.clients import Client, Place, UnknownClientError, Wanted
from oidc_server.web.errors import InvalidFieldsError, ProblemError, types
from oidc_server.web.responses import Response, empty

_FIELD = re.compile(r"([a-z_]+): ")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 2**53
"""Microseconds: some time in the year 2255."""


def list_clients(call: Call) -> ClientsPage:
    """Newest first; what a search finds, by name."""
    query = call.query
    wanted = Wanted(search=query.search, type=query.type, disabled=query.disabled)
    after = None if query.cursor is None else _place(query.cursor, wanted)

    page = clients.page(call.ctx.db, wanted, query.limit, after)

    return ClientsPage(
        clients=[
            ClientSummary(
                client_id=client.client_id,
                client_name=client.client_name,
                type=client.type,
                disabled=client.disabled_at is not None,
                self_registered=client.self_registered,
                created_at=client.created_at,
            )
            for client in page.clients
        ],
        next_cursor=None if page.next is None else _cursor(page.next),
    )


def read_client(call: Call) -> BaseModel:
    return ClientAnswer(**_facts(call, _named(call)))


def create_client(call: Call) -> BaseModel:
    """Register a client; its secret is in this answer alone."""
    members = call.body.model_dump(exclude_unset=True)
    client_type = members.pop("type")
    with _in_fields():
        fields = client_metadata.fields_of(members, by_operator=True)
        metadata = client_metadata.for_type(client_type, **{"client_name": "", **fields})
    require_as_much(call, metadata)

    made = clients.create(
        call.ctx.db,
        client_type=client_type,
        metadata=metadata,
        now=call.ctx.now,
        vault=call.ctx.runtime.vault,
    )

    client = made.client
    call.ctx.record(
        Event.CLIENT_CREATED,
        client_id=client.client_id,
        before={},
        after={"type": client.type, **metadata.to_document()},
    )
    return ClientWithSecret(**_facts(call, client), client_secret=made.client_secret)


def change_client(call: Call) -> BaseModel:
    """Change metadata; who comes to authenticate with a secret gets one."""
    before, ctx = _changeable(call), call.ctx
    changes = call.body.model_dump(exclude_unset=True)
    with _in_fields():
        metadata = client_metadata.edited(before.type, before.metadata, changes)
    require_as_much(call, metadata)

    client, secret = client_registrations.replace(
        ctx.db, before, metadata, now=ctx.now, vault=ctx.runtime.vault
    )

    call.ctx.record(
        Event.CLIENT_CHANGED,
        client_id=client.client_id,
        before=before.metadata.to_document(),
        after=metadata.to_document(),
    )
    return ClientWithSecret(**_facts(call, client), client_secret=secret)


def disable_client(call: Call) -> BaseModel:
    """From its next request on nothing of it works."""
    return _switched(call, Event.CLIENT_DISABLED, call.ctx.now)


def enable_client(call: Call) -> BaseModel:
    """It goes on, with all that it had."""
    return _switched(call, Event.CLIENT_ENABLED, None)


def delete_client(call: Call) -> Response:
    """End it for good, with its tokens and what people allowed it."""
    client = _changeable(call)

    client_registrations.delete_client(call.ctx.db, client.client_id, call.ctx.now)

    call.ctx.record(
        Event.CLIENT_DELETED, client_id=client.client_id, name=client.metadata.client_name
    )
    return empty(204)


def rotate_secret(call: Call) -> SecretAnswer:
    """A new secret; those there are go on for a while."""
    client, ctx = _changeable(call), call.ctx
    if not client.metadata.has_client_secret:
        raise ProblemError(types.CONFLICT, "This client has no secret.")
    overlap = timedelta(seconds=call.body.overlap)

    secret = clients.rotate_secret(
        ctx.db,
        client.client_id,
        now=ctx.now,
        overlap=overlap,
        vault=ctx.runtime.vault,
        seen=client,
    )

    until = ctx.now + overlap
    call.ctx.record(
        Event.CLIENT_SECRET_ROTATED,
        client_id=client.client_id,
        others_expire_at=until.isoformat(timespec="seconds"),
    )
    return SecretAnswer(client_id=client.client_id, client_secret=secret, others_expire_at=until)


def _switched(call: Call, event: Event, disabled_at: datetime | None) -> BaseModel:
    client = _changeable(call)
    if (client.disabled_at is None) != (disabled_at is None):
        client = clients.change(call.ctx.db, client.client_id, disabled_at=disabled_at, seen=client)
        call.ctx.record(event, client_id=client.client_id)
    return ClientAnswer(**_facts(call, client))


def _named(call: Call) -> Client:
    try:
        return clients.load(call.ctx.db, call.path["client_id"])
    except UnknownClientError as error:
        raise ProblemError(types.NOT_FOUND, str(error)) from None


def _changeable(call: Call) -> Client:
    client = _named(call)
    require_as_much(call, client.metadata, client.client_id)
    return client


@contextmanager
def _in_fields() -> Iterator[None]:
    """What is wrong with metadata, told of the member that it is about."""
    try:
        yield
    except InvalidClientMetadataError as error:
        text = str(error)
        found = _FIELD.match(text)
        field = found[1] if found else "redirect_uris" if "uri" in error.error else "client_name"
        raise InvalidFieldsError(([field], _FIELD.sub("", text, count=1))) from None


def _facts(call: Call, client: Client) -> dict[str, Any]:
    metadata = client.metadata
    members = client_metadata.members_of(client.type, metadata)
    del members["application_type"]
    return {
        **members,
        **{name: getattr(metadata, name) for name in OPERATORS_FIELDS},
        "client_id": client.client_id,
        "type": client.type,
        "disabled": client.disabled_at is not None,
        "self_registered": client.self_registered,
        "created_at": client.created_at,
        "secrets": [
            LiveSecret(expires_at=expires_at)
            for _, expires_at in client.secrets
            if expires_at is None or expires_at > call.ctx.now
        ],
    }


def _cursor(place: Place) -> str:
    if isinstance(place.key, str):
        return write_cursor(place.key, place.client_id)
    microseconds = (place.key - _EPOCH) // timedelta(microseconds=1)
    return write_cursor(microseconds, place.client_id)


def _place(cursor: str, wanted: Wanted) -> Place:
    if wanted.search is not None:
        return Place(*read_cursor(cursor, str, str))
    microseconds, client_id = read_cursor(cursor, int, str)
    if not 0 <= microseconds <= _LATEST:
        raise ForeignCursorError
    return Place(_EPOCH + timedelta(microseconds=microseconds), client_id)
