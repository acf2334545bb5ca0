"""Invitations: who may make an account, where not everybody may."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from oidc_server.admin_api.giving_roles import may_give
from oidc_server.api.access import administration
from oidc_server.api.lists import PageQuery, page_of, read_id_cursor
from oidc_server.api.models import Answer, Body
from oidc_server.api.operations import Call, Operation
from oidc_server.domain import invitations
from oidc_server.domain.audit import Event
from oidc_server.domain.invitations import LONGEST, USUAL, Invitation
from oidc_server.domain.links import Purpose
from oidc_server.domain.roles import UnknownRoleError
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import InvalidFieldsError, ProblemError, types
from oidc_server.web.responses import Response, empty


class NewInvitation(Body):
    """Whom to invite, and as what."""

    email: Annotated[str, Field(min_length=1, max_length=400)] | None = Field(
        default=None, description="The invitation is for this address, and is mailed to it."
    )
    role: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    expires_in: int = Field(
        default=int(USUAL.total_seconds()),
        ge=60,
        le=int(LONGEST.total_seconds()),
        description="Seconds until it ends.",
    )


class InvitationsQuery(PageQuery):
    """Which invitations."""


class InvitationAnswer(Answer):
    """An invitation, without its link."""

    id: str
    email: str | None
    role: str | None
    state: Literal["open", "used", "revoked", "expired"]
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    user_id: str | None


class MadeInvitation(InvitationAnswer):
    """A new invitation. Without an address, `link` is to be handed over; it is shown this once."""

    link: str | None


class InvitationsPage(Answer):
    """A page of invitations, newest first."""

    invitations: list[InvitationAnswer]
    next_cursor: str | None


def list_invitations(call: Call) -> InvitationsPage:
    """A page of invitations, newest first."""
    query = call.query

    found = invitations.page(call.ctx.db, query.limit + 1, read_id_cursor(query.cursor))

    page, cursor = page_of(found, query.limit, lambda invitation: (invitation.id,))
    return InvitationsPage(
        invitations=[InvitationAnswer(**_told(call, invitation)) for invitation in page],
        next_cursor=cursor,
    )


def create_invitation(call: Call) -> MadeInvitation:
    """Invite somebody, at most with a role that the caller could give."""
    body, ctx = call.body, call.ctx
    try:
        if body.role is not None:
            may_give(call, body.role)
        made = invitations.create(
            ctx.db,
            email=body.email,
            role=body.role,
            invited_by=call.caller.user_id,
            lifetime=timedelta(seconds=body.expires_in),
            now=ctx.now,
        )
    except UnknownRoleError as error:
        raise InvalidFieldsError((["role"], str(error))) from None

    call.ctx.record(Event.INVITATION_CREATED, invitation_id=made.id, role=made.role)
    return MadeInvitation(**_told(call, made), link=_link(call, made))


def revoke_invitation(call: Call) -> Response:
    """Withdraw an invitation that is open."""
    invitation_id = call.path["invitation_id"]

    if not invitations.revoke(call.ctx.db, invitation_id, call.ctx.now):
        raise ProblemError(types.NOT_FOUND, "There is no such invitation that is open.")

    call.ctx.record(Event.INVITATION_REVOKED, invitation_id=invitation_id)
    return empty(204)


def _link(call: Call, made: Invitation) -> str | None:
    """The address to hand over. One that proves an address goes there by mail, and no other way."""
    if made.email is not None:
        return None
    runtime = call.ctx.runtime
    signed = runtime.links.sign(Purpose.INVITATION, made.id)
    return runtime.issuer + runtime.paths.path("authentication.sign_up", link=signed)


def _told(call: Call, invitation: Invitation) -> dict[str, Any]:
    names = InvitationAnswer.model_fields.keys() - {"state"}
    return {name: getattr(invitation, name) for name in names} | {
        "state": invitation.state(call.ctx.now)
    }


_EXAMPLE: dict[str, Any] = {
    "id": "019b8d62-7a80-73a1-acf1-88f9fcf744e7",
    "email": "ann@example.com",
    "role": None,
    "state": "open",
    "invited_by": "3f0e9c1a-6f54-4f5e-9c1b-2a7d8e0b4c55",
    "created_at": "2026-01-05T09:00:00Z",
    "expires_at": "2026-01-12T09:00:00Z",
    "used_at": None,
    "user_id": None,
}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/admin/invitations",
        name="admin_api.invitations",
        summary="List invitations, newest first",
        rule=administration(ApiScope.INVITATIONS_READ),
        handler=list_invitations,
        query=InvitationsQuery,
        answer=InvitationsPage,
        query_example={"limit": 50},
        answer_example={"invitations": [_EXAMPLE], "next_cursor": None},
    ),
    Operation(
        method="POST",
        path="/api/v1/admin/invitations",
        name="admin_api.create_invitation",
        summary="Invite somebody to make an account",
        description="With an address, the link is mailed to it, and using it proves the address;"
        " without one, the answer holds the link. It works once. One with a role needs"
        " `roles:write`, and is void while who made it could not give that role any more.",
        rule=administration(ApiScope.INVITATIONS_WRITE),
        handler=create_invitation,
        body=NewInvitation,
        answer=MadeInvitation,
        status=201,
        body_example={"email": "ann@example.com", "expires_in": 604800},
        answer_example={**_EXAMPLE, "link": None},
    ),
    Operation(
        method="DELETE",
        path="/api/v1/admin/invitations/{invitation_id}",
        name="admin_api.revoke_invitation",
        summary="Withdraw an invitation",
        rule=administration(ApiScope.INVITATIONS_WRITE),
        handler=revoke_invitation,
        status=204,
    ),
)
