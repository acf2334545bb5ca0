"""Reads one request, however it arrived: as parameters, pushed, in a request object."""

from contextlib import suppress
from typing import Any

from oidc_server.authorization.request.checks import CHECKS, Draft, refuse_repeated
from oidc_server.authorization.request.request_object import (
    UnfitObjectError,
    has_object,
    read_object,
)
from oidc_server.authorization.request.trusted import (
    Trusted,
    find_client,
    trust,
)
from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import InvalidRequestError, OAuth2Error
from oidc_server.people.untrusted_request import UntrustedRequestError
from oidc_server.web.context import Context
from oidc_server.web.incoming import Params


class RefusedRequestError(Exception):
    """A request that may be answered, with an error."""

    def __init__(self, trusted: Trusted, error: OAuth2Error) -> None:
        super().__init__(error.error)
        self.trusted = trusted
        self.error = error


def read(ctx: Context, params: Params) -> tuple[Trusted, AuthorizationRequest]:
    """A request that came with the browser.

    Raises `UntrustedRequestError`, or `RefusedRequestError` once it is known where to say so.
    """
    client = find_client(ctx.db, params)
    try:
        if client.metadata.require_pushed_authorization_requests or (
            ctx.runtime.settings.require_par
        ):
            raise InvalidRequestError("The client must push its requests (RFC 9126).")
        params = _unwrapped(ctx, client, params)
    except OAuth2Error as error:
        raise _refusal(client, params, error) from None
    trusted = trust(client, params)
    try:
        return trusted, _validate(Draft(ctx, trusted, params))
    except OAuth2Error as error:
        raise RefusedRequestError(trusted, error) from None


def read_pushed(ctx: Context, client: Client, params: Params) -> AuthorizationRequest:
    """A request that `client` pushes (RFC 9126 §2.1).

    Raises `UntrustedRequestError` or an OAuth2Error: nobody is redirected for either.
    """
    if params.all("request_uri"):
        raise InvalidRequestError("A pushed request cannot have a request_uri (RFC 9126).")
    params = _unwrapped(ctx, client, params)
    return _validate(Draft(ctx, trust(client, params), params))


def _unwrapped(ctx: Context, client: Client, params: Params) -> Params:
    """The parameters themselves, out of the request object if there is one."""
    if has_object(params):
        refuse_repeated(params)
        return read_object(ctx, client, params)
    if client.metadata.require_signed_request_object:
        raise InvalidRequestError("The client must sign its requests (RFC 9101).")
    return params


def _refusal(client: Client, params: Params, error: OAuth2Error) -> Exception:
    """A redirect if what stands outside, or was signed, names a good place for it; else a page."""
    places = [params, error.place] if isinstance(error, UnfitObjectError) else [params]
    for place in places:
        with suppress(UntrustedRequestError):
            return RefusedRequestError(trust(client, place), error)
    problem = error.get_error_description()
    return UntrustedRequestError(problem, client=client, error=error.error)


def _validate(draft: Draft) -> AuthorizationRequest:
    """Run every check in order; raises the OAuth2Error of the first that fails."""
    fields: dict[str, Any] = {}
    for check in CHECKS:
        fields.update(check(draft))
    trusted = draft.trusted
    return AuthorizationRequest(
        client_id=trusted.client.client_id,
        redirect_uri=trusted.redirect_uri,
        state=trusted.state,
        created_at=draft.ctx.now,
        **fields,
    )
