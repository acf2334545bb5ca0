"""Where an answer may go: found out before anything else of a request is looked at."""

from dataclasses import dataclass

from oidc_server.database import Transaction
from oidc_server.domain import clients
from oidc_server.domain.client_metadata import matches_redirect_uri
from oidc_server.domain.clients import Client
from oidc_server.languages import Words
from oidc_server.oauth2.redirects import MAX_STATE
from oidc_server.oauth2.vocabulary import ResponseMode
from oidc_server.observability import current
from oidc_server.people.untrusted_request import UntrustedRequestError
from oidc_server.web.incoming import Params


@dataclass(frozen=True, slots=True)
class Trusted:
    """Where an answer may go. Only `trust` makes one, after client and redirect URI are known good.

    RFC 6749 §4.1.2.1: without it the server "MUST NOT automatically redirect the user-agent"; so an
    error redirect takes a Trusted, and everything found before one exists can only be a page.
    """

    client: Client
    redirect_uri: str
    state: str | None
    response_mode: ResponseMode


def find_client(db: Transaction, params: Params) -> Client:
    """The client that a request names; raises `UntrustedRequestError`."""
    if "client_id" in params.repeated():
        raise UntrustedRequestError(
            Words("The parameter %(name)s was sent more than once.", name="client_id")
        )
    client_id = params.get("client_id")
    if client_id is None:
        raise UntrustedRequestError(Words("The parameter %(name)s is missing.", name="client_id"))
    client = clients.find(db, client_id)
    if client is None:
        raise UntrustedRequestError(
            Words("No client is registered with this client_id."), client_id=client_id
        )
    current.note(client_id=client.client_id)
    return client


def trust(client: Client, params: Params) -> Trusted:
    """Check the redirect URI; raises `UntrustedRequestError`."""
    repeated = params.repeated()

    def once(name: str) -> str | None:
        return None if name in repeated else params.get(name)

    if "redirect_uri" in repeated:
        raise UntrustedRequestError(
            Words("The parameter %(name)s was sent more than once.", name="redirect_uri")
        )
    redirect_uri = params.get("redirect_uri")
    if redirect_uri is None:
        raise UntrustedRequestError(
            Words("The parameter %(name)s is missing.", name="redirect_uri"), client=client
        )
    if not is_registered(client, redirect_uri):
        raise UntrustedRequestError(
            Words(
                "The redirect_uri is not registered for this client. It must be equal, character"
                " for character."
            ),
            client=client,
            redirect_uri=redirect_uri,
        )
    state = once("state")
    if state is not None and len(state) > MAX_STATE:
        raise UntrustedRequestError(
            Words("The state is longer than %(most)s characters.", most=MAX_STATE)
        )
    return Trusted(
        client,
        redirect_uri,
        state,
        ResponseMode.read(once("response_mode"), once("response_type")),
    )


def is_registered(client: Client, redirect_uri: str) -> bool:
    return matches_redirect_uri(client.type, client.metadata.redirect_uris, redirect_uri)
