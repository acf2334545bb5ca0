"""The authorization request that a page interrupts, if the person comes from an app."""

from dataclasses import dataclass
from typing import Any

from oidc_server.domain import authorization_requests, clients
from oidc_server.domain.authorization_requests import AuthorizationRequest, RequestGoneError
from oidc_server.oauth2.vocabulary import Display
from oidc_server.web.client_view import ClientView, view_of
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


@dataclass(frozen=True)
class Interrupted:
    """What a page knows of the app behind it. All is None for somebody who came on their own."""

    request: AuthorizationRequest | None = None
    client: ClientView | None = None

    @property
    def request_id(self) -> str | None:
        return self.request.id if self.request else None

    def render(self, ctx: Context, template: str, **values: Any) -> Response:
        """A page that knows the app: it may lead there, and looks as the app asked for."""
        request, client = self.request, self.client
        return ctx.render(
            template,
            form_targets=(client.form_target,) if client else (),
            popup=request is not None and request.display == Display.POPUP,
            ui_locales=request.ui_locales if request else None,
            client=client,
            request_id=self.request_id,
            **values,
        )

    def go_on(self, ctx: Context) -> Response:
        """Back to the dispatcher, or to the account."""
        if self.request_id is not None:
            return ctx.redirect("authorization.resume", request_id=self.request_id)
        return ctx.redirect("account.overview")


def interrupted(ctx: Context, request_id: str | None) -> Interrupted:
    """Look the request up; raises `RequestGoneError` when it is over or of another browser."""
    if request_id is None:
        return Interrupted()
    request = authorization_requests.find(ctx.db, request_id, ctx.browser, ctx.now)
    client = clients.find(ctx.db, request.client_id) if request else None
    if request is None or client is None:
        raise RequestGoneError
    return Interrupted(request, view_of(client, request.redirect_uri))
