"""/device/{request_id}: whether the device with this code may use the account (RFC 8628 §3.3)."""

from oidc_server.domain import clients, device_codes, subjects
from oidc_server.domain.audit import Event
from oidc_server.domain.authorization_requests import RequestGoneError
from oidc_server.domain.clients import Client
from oidc_server.domain.consents import Permission
from oidc_server.domain.device_codes import DeviceRequest
from oidc_server.domain.grants import Authorization
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.people import browser_session, second_factors
from oidc_server.people.client_view import view_of_device
from oidc_server.people.permission_view import view_of_permission
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_confirmation(ctx: Context) -> Response:
    """Ask whoever is signed in; then say what became of it."""
    request, client = _request(ctx)
    if not request.is_open:
        return ctx.render(
            "device/decided.html",
            client=view_of_device(client),
            approved=request.denied_at is None,
        )
    session = ctx.user_session
    if session is None:
        return ctx.redirect("authentication.login", request_id=request.id)
    if second_factors.are_owed_by(ctx, session):
        return ctx.redirect("authentication.step_up", request_id=request.id)
    return _page(ctx, request, client, session)


def submit_confirmation(ctx: Context) -> Response:
    """Keep the answer of the session that saw the page. Nothing is allowed by itself."""
    request, client = _request(ctx)
    session = ctx.user_session
    if not request.is_open or session is None or ctx.form.get("sid") != session.sid:
        return ctx.redirect("device.confirmation", request_id=request.id)
    if second_factors.are_owed_by(ctx, session):
        return ctx.redirect("device.confirmation", request_id=request.id)

    match ctx.form.get("decision"):
        case "allow" if ctx.form.get("same_code") is None:
            return _page(ctx, request, client, session, error="same_code", status=422)
        case "allow":
            _approve(ctx, request, client, session)
        case "deny":
            if device_codes.deny(ctx.db, request, ctx.now):
                _record(ctx, Event.DEVICE_DENIED, request, session)
    return ctx.redirect("device.confirmation", request_id=request.id)


def _approve(ctx: Context, request: DeviceRequest, client: Client, session: LiveSession) -> None:
    """The grant belongs to no browser session: signing out here does not sign the device out.

    So nothing would end it that was given in a session which is ended meanwhile.
    """
    browser_session.hold(ctx)
    authorization = Authorization(
        user_id=session.user_id,
        pairwise_sub=subjects.pairwise_sub(ctx.db, client, session.user_id, ctx.now),
        client_id=client.client_id,
        scopes=request.scopes,
        resources=request.resources,
        auth_time=session.auth_time,
        amr=session.amr,
        acr=session.acr,
    )
    lifetime = ctx.runtime.settings.refresh_token_absolute_lifetime
    if not device_codes.approve(ctx.db, request, authorization, ctx.now, lifetime):
        raise RequestGoneError
    _record(ctx, Event.DEVICE_APPROVED, request, session)


def _request(ctx: Context) -> tuple[DeviceRequest, Client]:
    """The request of this page; raises `RequestGoneError`, also when its client is gone."""
    request = device_codes.find(
        ctx.db, ctx.incoming.path_params["request_id"], ctx.browser, ctx.now
    )
    client = clients.find(ctx.db, request.client_id) if request else None
    if request is None or client is None:
        raise RequestGoneError
    return request, client


def _record(ctx: Context, event: Event, request: DeviceRequest, session: LiveSession) -> None:
    ctx.record(
        event,
        user_id=session.user_id,
        client_id=request.client_id,
        scope=" ".join(sorted(request.scopes)),
    )


def _page(
    ctx: Context,
    request: DeviceRequest,
    client: Client,
    session: LiveSession,
    *,
    error: str | None = None,
    status: int = 200,
) -> Response:
    return ctx.render(
        "device/confirmation.html",
        status=status,
        client=view_of_device(client),
        username=session.username,
        request=request,
        user_code=request.user_code(ctx.runtime.vault),
        minutes=int((ctx.now - request.created_at).total_seconds() // 60),
        permission=view_of_permission(ctx.db, Permission(request.scopes, request.resources)),
        sid=session.sid,
        error=error,
    )
