"""Who is in: the browsers that are signed in, and the clients that may use the account."""

import hmac

from oidc_server.account_api.models import Consent, Consents, Session, Sessions
from oidc_server.account_api.proof import grant_of
from oidc_server.api.operations import Call
from oidc_server.domain import client_access, clients, user_sessions
from oidc_server.domain.client_access import ClientAccess
from oidc_server.people import own_account
from oidc_server.security import base64url
from oidc_server.web.errors import ProblemError, types
from oidc_server.web.responses import Response, empty


def list_sessions(call: Call) -> Sessions:
    """The sessions of who calls."""
    current = grant_of(call).session_id

    found = user_sessions.list_of_user(call.ctx.db, call.subject, call.ctx.now)

    return Sessions(
        sessions=[
            Session(
                id=_shown_id(call, session.id),
                current=session.id == current,
                address=session.address,
                user_agent=session.user_agent,
                amr=sorted(session.amr),
                signed_in_at=session.auth_time,
                last_used_at=session.last_seen_at,
                expires_at=session.expires_at,
            )
            for session in found
        ]
    )


def end_session(call: Call) -> Response:
    """End one session, be it the current one."""
    named = call.path["session_id"]
    found = user_sessions.list_of_user(call.ctx.db, call.subject, call.ctx.now)
    session_id = next((one.id for one in found if _shown_id(call, one.id) == named), None)

    if session_id is None or not own_account.end_session(call.ctx, call.subject, session_id):
        raise ProblemError(types.NOT_FOUND, "There is no such session.")

    return empty(204)


def end_other_sessions(call: Call) -> Response:
    """End all sessions but the current one."""
    own_account.end_other_sessions(call.ctx, call.subject, keep=grant_of(call).session_id)

    return empty(204)


def list_consents(call: Call) -> Consents:
    """What clients may do with the account of who calls."""
    found = client_access.list_of_user(call.ctx.db, call.subject, call.ctx.now)

    return Consents(consents=[_consent(call, access) for access in found])


def read_consent(call: Call) -> Consent:
    """What one client may do."""
    access = client_access.find(call.ctx.db, call.subject, call.path["client_id"], call.ctx.now)
    if access is None:
        raise ProblemError(types.NOT_FOUND, "This client has no access.")

    return _consent(call, access)


def withdraw_consent(call: Call) -> Response:
    """Take everything from one client: consent, tokens, devices."""
    if not own_account.withdraw_client(call.ctx, call.subject, call.path["client_id"]):
        raise ProblemError(types.NOT_FOUND, "This client has no access.")

    return empty(204)


def withdraw_all_consents(call: Call) -> Response:
    """Take everything from every client, the one that asks too."""
    own_account.withdraw_all_clients(call.ctx, call.subject)

    return empty(204)


def _shown_id(call: Call, session_id: str) -> str:
    """The id by which one client knows a session: two that compare theirs learn nothing.

    Else pairwise clients (Core §8.1) could tell by it that they know the same person.
    """
    message = f"account-api/{call.caller.client_id}".encode()
    return base64url.encode(hmac.digest(session_id.encode("ascii"), message, "sha256")[:16])


def _consent(call: Call, access: ClientAccess) -> Consent:
    client = clients.find(call.ctx.db, access.client_id)
    return Consent(
        client_id=access.client_id,
        client_name=client.metadata.client_name if client else access.client_id,
        scopes=sorted(access.permission.scopes),
        resources=sorted(access.permission.resources),
        remembered=access.has_consent,
        sign_ins=access.grants,
        devices=access.devices,
        since=access.since,
        last_used_at=access.last_used_at,
    )
