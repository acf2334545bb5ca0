"""What is sent and answered about clients. The members of the metadata come from the domain."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, create_model

from oidc_server.api.lists import PageQuery
from oidc_server.api.models import Answer, Body, Truth
from oidc_server.domain.client_metadata import ClientType, member_types

_LONGEST_OVERLAP = 90 * 24 * 3600
_USUAL_OVERLAP = 24 * 3600


def _without_decimals(members: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(members, default=_number))
    return found


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise ValueError("It cannot be stored.")


_TYPES: dict[type, Any] = {
    str: Annotated[str, Field(max_length=4000)],
    list: list[Annotated[str, Field(max_length=4000)]],
    bool: bool,
    int: Annotated[int, Field(ge=0, le=10**9)],
    dict: Annotated[dict[str, Any], AfterValidator(_without_decimals)],
}
_MEMBERS: dict[str, Any] = {
    name: (_TYPES[kind] | None, None) for name, kind in member_types().items()
}
_Kind = Annotated[
    ClientType,
    Field(description="What kind of application it is; it decides the defaults, and stays."),
]

NewClient = create_model(
    "NewClient",
    __base__=Body,
    __doc__="A client to register: its type, and the members of RFC 7591 that are not the default.",
    type=(_Kind, ...),
    **_MEMBERS,
)
ClientChange = create_model(
    "ClientChange",
    __base__=Body,
    __doc__="What shall be different. What is not named stays, and null takes a member away.",
    **_MEMBERS,
)


class NewSecret(Body):
    """How long the secrets there are go on working beside the new one."""

    overlap: int = Field(
        default=_USUAL_OVERLAP, ge=0, le=_LONGEST_OVERLAP, description="In seconds."
    )


class ClientsQuery(PageQuery):
    """Which clients."""

    search: str | None = Field(
        default=None, min_length=1, max_length=100, description="The beginning of the name."
    )
    type: Literal["web", "spa", "native", "service"] | None = None
    disabled: Truth | None = None


class ClientSummary(Answer):
    """A client in a list."""

    client_id: str
    client_name: str
    type: ClientType
    disabled: bool
    self_registered: bool
    created_at: datetime


class ClientsPage(Answer):
    """A page of clients. It may hold less than `limit`, and say where to go on."""

    clients: list[ClientSummary]
    next_cursor: str | None


class LiveSecret(Answer):
    """A secret that works, without the secret. Only one that was replaced has an end."""

    expires_at: AwareDatetime | None


class SecretAnswer(Answer):
    """The new secret, this once, and until when the others go on."""

    client_id: str
    client_secret: str
    others_expire_at: datetime


_FACTS: dict[str, Any] = {
    "client_id": (str, ...),
    "type": (ClientType, ...),
    "disabled": (bool, ...),
    "self_registered": (
        Annotated[bool, Field(description="Nobody but itself says who it is.")],
        ...,
    ),
    "created_at": (datetime, ...),
    "secrets": (list[LiveSecret], ...),
    **_MEMBERS,
}
ClientAnswer = create_model(
    "ClientAnswer", __base__=Answer, __doc__="All of a client but its secrets.", **_FACTS
)
ClientWithSecret = create_model(
    "ClientWithSecret",
    __base__=Answer,
    __doc__="All of a client, and its secret if it has just got one: it is never shown again.",
    client_secret=(str | None, None),
    **_FACTS,
)
