"""The consent page: what a client wants, allow or refuse. It comes back to the dispatcher."""

from typing import Any

from oidc_server.authorization.request import Trusted
from oidc_server.authorization.response import authorization_error
from oidc_server.authorization.stored import trusted_again
from oidc_server.database import Transaction
from oidc_server.domain import authorization_requests, consents, mails, roles, users
from oidc_server.domain.audit import Event
from oidc_server.domain.authorization_requests import AuthorizationRequest, RequestGoneError
from oidc_server.domain.clients import Client
from oidc_server.domain.consents import Permission
from oidc_server.domain.mails import Notice
from oidc_server.domain.users import User
from oidc_server.oauth2.authlib import AccessDeniedError
from oidc_server.oauth2.vocabulary import Display, Scope
from oidc_server.people import browser_session
from oidc_server.people.client_view import view_of
from oidc_server.people.mail_facts import mail_facts
from oidc_server.people.permission_view import view_of_permission
from oidc_server.people.untrusted_request import UntrustedRequestError
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_LONGEST_LINE = 80


def show_consent(ctx: Context) -> Response:
    """Ask. Whoever is not signed in goes back to the dispatcher, which knows what to do."""
    request, trusted = _request(ctx)
    session = ctx.user_session
    user = users.find(ctx.db, session.user_id) if session else None
    if session is None or user is None:
        return ctx.redirect("authorization.resume", request_id=request.id)

    view = view_of(trusted.client, trusted.redirect_uri)
    already = consents.find(ctx.db, user.id, trusted.client)
    asked = Permission.asked_by(request)

    return ctx.render(
        "authorization/consent.html",
        form_targets=(view.form_target,),
        popup=request.display == Display.POPUP,
        client=view,
        user=user,
        request_id=request.id,
        sid=session.sid,
        permission=view_of_permission(
            ctx.db, asked, already=already, shared=_shared(ctx.db, user, asked)
        ),
    )


def submit_consent(ctx: Context) -> Response:
    """Remember the answer of the session that saw the page, not of one begun meanwhile."""
    request, trusted = _request(ctx)
    session = ctx.user_session
    if session is None or ctx.form.get("sid") != session.sid:
        return ctx.redirect("authorization.resume", request_id=request.id)
    decision = ctx.form.get("decision")
    facts: dict[str, Any] = {"user_id": session.user_id, "client_id": request.client_id}

    if decision == "allow":
        browser_session.hold(ctx)
        permission = Permission.asked_by(request)
        before = consents.remember(ctx.db, session.user_id, trusted.client, permission, ctx.now)
        if Scope.OFFLINE_ACCESS in permission.scopes - before.scopes:
            _tell_of_lasting_access(ctx, session.user_id, trusted.client)
        authorization_requests.consent(ctx.db, request.id or "", session.user_id)
        ctx.record(
            Event.CONSENT_GIVEN,
            scope=" ".join(sorted(permission.scopes)),
            resource=" ".join(sorted(permission.resources)),
            **facts,
        )
        return ctx.redirect("authorization.resume", request_id=request.id)
    if decision == "deny":
        ctx.record(Event.CONSENT_DENIED, **facts)
        error = AccessDeniedError("The person refused.")
        return authorization_error(ctx, trusted, error, request.id)
    return ctx.redirect("authorization.consent", request_id=request.id)


def _tell_of_lasting_access(ctx: Context, user_id: str, client: Client) -> None:
    """A mail, the first time, for what goes on when the person has signed out."""
    facts = mail_facts(ctx) | {"detail": client.metadata.client_name}
    mails.notify(ctx.db, user_id, Notice.LASTING_ACCESS_GIVEN, ctx.now, **facts)


def _request(ctx: Context) -> tuple[AuthorizationRequest, Trusted]:
    """The request of this page; raises `RequestGoneError`, also when its client is gone."""
    request_id = ctx.incoming.path_params["request_id"]
    request = authorization_requests.find(ctx.db, request_id, ctx.browser, ctx.now)
    if request is None:
        raise RequestGoneError
    ctx.ui_locales = request.ui_locales
    try:
        return request, trusted_again(ctx.db, request)
    except UntrustedRequestError:
        raise RequestGoneError from None


def _shared(db: Transaction, user: User, asked: Permission) -> dict[str, str | None]:
    """What each scope tells of this person, as far as a line of the page shows it."""
    held = roles.roles_of(db, user.id) if Scope.ROLES in asked.scopes else frozenset[str]()
    return {
        Scope.PROFILE.value: user.name or user.username,
        Scope.EMAIL.value: user.email,
        Scope.ADDRESS.value: _in_one_line(user.address),
        Scope.PHONE.value: user.phone_number,
        Scope.ROLES.value: ", ".join(sorted(held)),
    }


def _in_one_line(address: dict[str, str] | None) -> str | None:
    """A postal address, short enough for a line of the page."""
    if address is None:
        return None
    parts = [address["formatted"]] if "formatted" in address else list(address.values())
    line = ", ".join(line.strip() for part in parts for line in part.splitlines())
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
