"""Under which `sub` a client knows a person (Core §8): everybody's, or one of its sector alone.

The same goes for the `sid` of the person's session: it would link what two sectors know.
"""

import hmac
import uuid
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import ForeignKey, Text, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Identifier, Instant, insert_all, parse_id, table_of
from oidc_server.domain.clients import Client
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.security import base64url

NOBODY = ""
"""Stands for the id of a user where a `sub` names none: equal to no id."""


class PairwiseSubject(Base):
    """A person as one sector knows them: drawn once, so no secret's change can change it.

    A UUID like the ids of people, so neither kind is ever equal to a `client_id`.
    """

    __tablename__ = "pairwise_subjects"

    sub: Mapped[str] = mapped_column(Identifier, primary_key=True)
    sector: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("sector", "user_id"),)


_subjects = table_of(PairwiseSubject)
_FIND_SUB = Statement(
    select(_subjects.c.sub).where(
        _subjects.c.sector == bindparam("sector"), _subjects.c.user_id == bindparam("user_id")
    )
)
_FIND_USER = Statement(
    select(_subjects.c.user_id).where(
        _subjects.c.sub == bindparam("sub"), _subjects.c.sector == bindparam("sector")
    )
)
_INSERT = Statement(
    insert_all(_subjects).on_conflict_do_nothing(
        index_elements=[_subjects.c.sector, _subjects.c.user_id]
    )
)


def pairwise_sub(db: Transaction, client: Client, user_id: str, now: datetime) -> str | None:
    """The `sub` of this person for a pairwise client (Core §8.1), made at the first need.

    None for a public client, which is told the id of the user: it costs no read.
    """
    if client.metadata.subject_type != "pairwise":
        return None
    sector = sector_of(client)
    row = db.first(_FIND_SUB, sector=sector, user_id=user_id)
    if row is None:
        made = str(uuid.uuid4())
        if db.run(_INSERT, sub=made, sector=sector, user_id=user_id, created_at=now):
            return made
        row = db.first(_FIND_SUB, sector=sector, user_id=user_id)
    return str(row.sub)


def sid_for(client: Client, session: LiveSession) -> str:
    """What this client sees of a session: for a pairwise client, one of its sector alone.

    A MAC under the id of the session, which no client ever sees.
    """
    if client.metadata.subject_type != "pairwise":
        return session.sid
    mac = hmac.digest(session.id.encode("ascii"), sector_of(client).encode(), "sha256")[:16]
    return base64url.encode(mac)


def find_user(db: Transaction, client: Client, sub: object) -> str | None:
    """The id of the person whom this client calls `sub`, or None.

    What a public client says is only parsed: that such a person exists is the caller's to check.
    """
    parsed = parse_id(sub) if isinstance(sub, str) else None
    if parsed is None or client.metadata.subject_type != "pairwise":
        return parsed
    row = db.first(_FIND_USER, sub=parsed, sector=sector_of(client))
    return None if row is None else str(row.user_id)


def sector_of(client: Client) -> str:
    """The sector of a pairwise client: the host that all its redirect URIs answer for (Core §8.1).

    A client without either is a sector of its own. So is one whose answers go to a scheme of its
    own or to loopback: whatever host stands there, its owner does not answer for it.
    """
    metadata = client.metadata
    if metadata.sector_identifier_uri is not None:
        return urlsplit(metadata.sector_identifier_uri).hostname or client.client_id
    parts = [urlsplit(uri) for uri in metadata.redirect_uris]
    hosts = {part.hostname if part.scheme == "https" else None for part in parts}
    host = hosts.pop() if len(hosts) == 1 else None
    return host or client.client_id
