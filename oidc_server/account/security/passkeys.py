"""/account/security/passkeys: the section of the passkeys, and the pages that add and change one.

Adding one asks for the proof before it makes the challenge: an answer to the challenge then implies
the proof.
"""

from collections.abc import Callable, Mapping
from typing import Any

from oidc_server.account import proof
from oidc_server.domain import passkeys, ways_in
from oidc_server.domain.audit import Event
from oidc_server.domain.identifiers import InvalidFieldError
from oidc_server.domain.passkey_challenges import Ceremony
from oidc_server.domain.passkeys import Passkey, PasskeyTakenError, TooManyPasskeysError
from oidc_server.domain.users import User
from oidc_server.domain.ways_in import LastWayInError
from oidc_server.people import (
    passkey_enrolment,
    passkey_proof,
    reauthentication,
    second_factors,
)
from oidc_server.people.console import get_session
from oidc_server.people.mail_facts import mail_facts
from oidc_server.people.passkey_enrolment import Enrolment
from oidc_server.people.reauthentication import Begun, Reauthentication
from oidc_server.security import base64url
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response


def view(ctx: Context, user: User) -> Mapping[str, Any]:
    """What the section shows. The browser may forget passkeys of this account that it lacks."""
    if not passkey_proof.are_possible(ctx):
        return {"possible": False}
    mine = passkeys.list_of_user(ctx.db, user.id)
    handle = passkeys.find_handle(ctx.db, user.id)
    return {
        "possible": True,
        "passkeys": mine,
        "rp_id": passkey_proof.party_of(ctx).id,
        "user_handle": handle and base64url.encode(handle),
        "is_asked": passkeys.is_second_step(ctx.db, user.id),
        "has_password": user.password_hash is not None,
        "known": " ".join(base64url.encode(one.credential_id) for one in mine),
    }


def show_new(ctx: Context) -> Response:
    passkey_proof.party_of(ctx)
    return _new_page(ctx)


def prepare_options(ctx: Context) -> Begun | None:
    """Ahead of `ask`: whether it still is the owner who sits there."""
    session = ctx.user_session
    if session is None:
        return None
    if second_factors.must_step_up(ctx, session):
        return Reauthentication(session.user_id, "second_step_missing")
    return proof.begin(ctx)


def ask(ctx: Context) -> Response:
    """What the script asks the browser to make, or why it is not asked."""
    session, again = ctx.user_session, ctx.proof
    if session is None or again is None:
        raise NotFoundError
    if not reauthentication.settle(ctx, again):
        return responses.json({"refused": again.refusal or "failed"}, status=403)
    name = session.name or session.username
    return responses.json(
        passkey_enrolment.ask(ctx, session.user_id, username=session.username, name=name)
    )


def prepare_new(ctx: Context) -> Callable[[], Enrolment] | Enrolment:
    """Ahead of `submit_new`: look at the passkey that the browser has made."""
    user_id = get_session(ctx).user_id
    return passkey_enrolment.begin(
        ctx, ctx.form.text("credential"), Ceremony.ENROL, user_id=user_id
    )


def submit_new(ctx: Context) -> Response:
    """Add it, and offer to give it another name."""
    made: Enrolment = ctx.proof
    if made.new is None:
        return _new_page(ctx, error="late" if made.reason == "challenge" else "invalid", status=422)

    try:
        passkey_id = passkey_enrolment.settle(ctx, get_session(ctx).user_id, made.new)
    except PasskeyTakenError:
        return _new_page(ctx, error="taken", status=409)
    except TooManyPasskeysError:
        return _new_page(ctx, error="too_many", status=409)
    return ctx.redirect("account.passkey", passkey_id=passkey_id, notice="passkey_added")


def show_passkey(ctx: Context) -> Response:
    return _page(ctx, _passkey(ctx))


def submit_name(ctx: Context) -> Response:
    """Call it something else."""
    passkey, session = _passkey(ctx), get_session(ctx)

    try:
        passkeys.rename(ctx.db, session.user_id, passkey.id, ctx.form.text("name"))
    except InvalidFieldError as error:
        return _page(ctx, passkey, errors={"name": error.code})
    _record(ctx, Event.PASSKEY_RENAMED, passkey)
    return ctx.redirect("account.security", notice="passkey_renamed")


def prepare_removal(ctx: Context) -> Begun:
    """Ahead of `submit_removal`."""
    _passkey(ctx)
    return proof.begin(ctx)


def submit_removal(ctx: Context) -> Response:
    """Take it away, unless nothing else would let the person in."""
    again: Reauthentication = ctx.proof
    passkey, session = _passkey(ctx), get_session(ctx)
    if not reauthentication.settle(ctx, again):
        return _page(ctx, passkey, refused=again)

    try:
        ways_in.remove_passkey(
            ctx.db,
            session.user_id,
            passkey.id,
            ctx.now,
            keep_session=session.id,
            **mail_facts(ctx),
        )
    except LastWayInError:
        return _page(ctx, passkey, status=409)
    _record(ctx, Event.PASSKEY_REMOVED, passkey)
    return ctx.redirect("account.security", notice="passkey_removed")


def _passkey(ctx: Context) -> Passkey:
    """The passkey of the address; raises `NotFoundError` for those of others too."""
    passkey_id = ctx.incoming.path_params["passkey_id"]
    found = passkeys.find(ctx.db, get_session(ctx).user_id, passkey_id)
    if found is None:
        raise NotFoundError
    return found


def _record(ctx: Context, event: Event, passkey: Passkey) -> None:
    ctx.record(event, user_id=passkey.user_id, passkey_id=passkey.id, name=passkey.name)


def _new_page(ctx: Context, error: str | None = None, status: int = 200) -> Response:
    return proof.page(
        ctx,
        "account/security/new_passkey.html",
        status=status,
        error=error,
    )


def _page(
    ctx: Context,
    passkey: Passkey,
    *,
    refused: Reauthentication | None = None,
    errors: Mapping[str, str] | None = None,
    status: int | None = None,
) -> Response:
    return proof.page(
        ctx,
        "account/security/passkey.html",
        refused=refused,
        errors=errors,
        status=status,
        passkey=passkey,
        typed=ctx.form.text("name") if errors else passkey.name,
        is_last=ways_in.is_last(ctx.db, passkey.user_id, passkey.id),
    )
