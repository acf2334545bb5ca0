"""What pages show of a client, and where their forms may lead to."""

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from oidc_server.domain.client_metadata import origin_of
from oidc_server.domain.clients import Client


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client as templates know it. `host` is where the person goes back to, as verified.

    It is empty for a client on another device.
    """

    client_id: str
    name: str
    host: str
    hue: int
    uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    form_target: str
    """The origin or scheme that a form post may be redirected to (CSP `form-action`), if any."""
    self_registered: bool
    """Nobody but the client says what it is called."""
    is_local: bool
    """A program on the device of the browser: at a loopback address, or a scheme of its own."""


def view_of(client: Client, redirect_uri: str) -> ClientView:
    """The view of a client whose redirect URI has been checked."""
    parts = urlsplit(redirect_uri)
    target = origin_of(redirect_uri) or f"{parts.scheme}:"
    is_local = parts.scheme != "https"  # plain http is for loopback alone
    return _view(client, parts.netloc or parts.scheme, form_target=target, is_local=is_local)


def view_of_device(client: Client) -> ClientView:
    """The view of a client that nobody goes back to: it is on another device."""
    return _view(client, host="", form_target="", is_local=False)


def _view(client: Client, host: str, *, form_target: str, is_local: bool) -> ClientView:
    metadata = client.metadata
    return ClientView(
        client_id=client.client_id,
        name=metadata.client_name,
        host=host,
        hue=sha256(client.client_id.encode()).digest()[0] % 4 + 1,
        uri=metadata.client_uri,
        policy_uri=metadata.policy_uri,
        tos_uri=metadata.tos_uri,
        form_target=form_target,
        self_registered=client.self_registered,
        is_local=is_local,
    )
