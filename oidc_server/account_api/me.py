"""Who one is: the account itself, its password and its address."""

from oidc_server.account_api.models import Deletion, Me, told
from oidc_server.account_api.proof import Prepared, grant_of, refusal, wrong_field
from oidc_server.api import chosen_password
from oidc_server.api.operations import Call
from oidc_server.domain import roles, users
from oidc_server.domain.identifiers import InvalidFieldError
from oidc_server.people import email_addresses, own_account
from oidc_server.web.responses import Response, empty


def read_me(call: Call) -> Me:
    """The account of who calls."""
    return _me(call)


def change_me(call: Call) -> Me:
    """Change the claims that the body names; what is empty is removed."""
    user = users.get(call.ctx.db, call.subject)

    own_account.edit(call.ctx, user, call.body.named())

    return _me(call)


def delete_me(call: Call) -> Deletion | Response:
    """Shut the account now; it is deleted when the time to come back is over."""
    roles.take_turn(call.ctx.db)  # before the row of the person, which a proof locks (ADR 0024)
    refused = refusal(call)
    if refused is not None:
        return refused

    own_account.delete(call.ctx, call.subject)

    return Deletion(deletes_at=users.get(call.ctx.db, call.subject).deletes_at)


def change_password(call: Call) -> Response:
    """Choose another password: other sessions end, the one of the token goes on."""
    refused = refusal(call)
    if refused is not None:
        return refused
    prepared: Prepared = call.ctx.proof
    problem = chosen_password.problem_of(prepared.chosen)
    if problem is not None or prepared.chosen.password_hash is None:
        return wrong_field(call, "password", problem or "It is missing.")

    session_id = grant_of(call).session_id
    own_account.change_password(
        call.ctx, call.subject, prepared.chosen.password_hash, keep_session=session_id
    )

    return empty(204)


def change_email(call: Call) -> Response:
    """Have a mail sent to another address; nothing changes until it is confirmed."""
    refused = refusal(call)
    if refused is not None:
        return refused

    try:
        email_addresses.ask_to_change(call.ctx, call.subject, call.body.email)
    except InvalidFieldError as error:
        return wrong_field(call, error.field, str(error))

    return empty(202)


def _me(call: Call) -> Me:
    return told(users.get(call.ctx.db, call.subject), call.shown_subject)
