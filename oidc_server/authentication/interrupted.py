"""What a page interrupts: an authorization request, or that of a device, or nothing."""

from dataclasses import dataclass
from typing import Any

from oidc_server.domain import authorization_requests, clients, device_codes
from oidc_server.domain.audit import Event
from oidc_server.domain.authorization_requests import AuthorizationRequest, RequestGoneError
from oidc_server.domain.device_codes import DeviceRequest
from oidc_server.oauth2.vocabulary import Display
from oidc_server.people import console
from oidc_server.people.client_view import ClientView, view_of, view_of_device
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


@dataclass(frozen=True)
class Interrupted:
    """What a page knows of the app behind it. All is None for somebody who came on their own."""

    request: AuthorizationRequest | None = None
    device: DeviceRequest | None = None
    client: ClientView | None = None
    return_to: str | None = None
    """The path of a page of the console, for somebody who came from there."""

    @property
    def request_id(self) -> str | None:
        if self.device is not None:
            return self.device.id
        return self.request.id if self.request else None

    def render(self, ctx: Context, template: str, **values: Any) -> Response:
        """A page that knows the app: it may lead there, and looks as the app asked for."""
        request, client = self.request, self.client
        return ctx.render(
            template,
            form_targets=(client.form_target,) if client and client.form_target else (),
            popup=request is not None and request.display == Display.POPUP,
            client=client,
            request_id=self.request_id,
            return_to=self.return_to,
            **values,
        )

    def record(self, ctx: Context, event: Event, user_id: str | None, **detail: Any) -> None:
        """Write down what happened to the sign-in that this app is behind."""
        ctx.record(
            event,
            user_id=user_id,
            client_id=self.client.client_id if self.client else None,
            **detail,
        )

    def go_on(self, ctx: Context) -> Response:
        """Back to the dispatcher, to the device, to the page of the console, or to its first."""
        if self.device is not None:
            return ctx.redirect("device.confirmation", request_id=self.device.id)
        if self.request_id is not None:
            return ctx.redirect("authorization.resume", request_id=self.request_id)
        if self.return_to is not None:
            return responses.see_other(self.return_to)
        return ctx.redirect("account.overview")


def interrupted(ctx: Context, request_id: str | None) -> Interrupted:
    """Look the request up; raises `RequestGoneError` when it is over or of another browser."""
    if request_id is None:
        sent = ctx.form if ctx.incoming.method == "POST" else ctx.query
        return Interrupted(return_to=console.way_back(sent.get("return_to")))
    request = authorization_requests.find(ctx.db, request_id, ctx.browser, ctx.now)
    if request is None:
        return _device(ctx, request_id)
    client = clients.find(ctx.db, request.client_id)
    if client is None:
        raise RequestGoneError
    ctx.ui_locales = request.ui_locales
    return Interrupted(request, client=view_of(client, request.redirect_uri))


def _device(ctx: Context, request_id: str) -> Interrupted:
    """Ids of both kinds are unique: without an authorization request, it may be a device's."""
    device = device_codes.find(ctx.db, request_id, ctx.browser, ctx.now)
    client = clients.find(ctx.db, device.client_id) if device and device.is_open else None
    if client is None:
        raise RequestGoneError
    return Interrupted(device=device, client=view_of_device(client))
