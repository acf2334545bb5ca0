"""Clients that describe themselves to `/register`."""

from datetime import timedelta
from typing import Any

from httpx2 import Response

from oidc_server.domain import registration_tokens
from tests.factories import App
from tests.site import Site

REDIRECT_URI = "https://app.example.net/callback"


def described(**changes: Any) -> dict[str, Any]:
    """What a web application says of itself; a change to None leaves a member out."""
    members = {"client_name": "Ledger", "redirect_uris": [REDIRECT_URI], **changes}
    return {name: value for name, value in members.items() if value is not None}


def register(site: Site, *, token: str | None = None, **changes: Any) -> Response:
    """Ask for a registration."""
    return site.http.post("/register", json=described(**changes), headers=bearer(token))


def registered(site: Site, **changes: Any) -> dict[str, Any]:
    """A client that registered itself: the client information response."""
    response = register(site, **changes)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def sent(site: Site, body: str | bytes, content_type: str = "application/json") -> Response:
    """Ask with a body that is written by hand."""
    return site.http.post("/register", content=body, headers={"content-type": content_type})


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def app_of(client: dict[str, Any]) -> App:
    """The client as a relying party of the tests plays it."""
    return App(client["client_id"], client.get("client_secret"), client["redirect_uris"][0])


def path_of(client: dict[str, Any]) -> str:
    """The path of its client configuration endpoint."""
    return f"/register/{client['client_id']}"


def manage(site: Site, method: str, client: dict[str, Any], **changes: Any) -> Response:
    """Read, replace or end a registration; `changes` make the body."""
    return site.http.request(
        method,
        path_of(client),
        headers=bearer(client["registration_access_token"]),
        json=described(client_id=client["client_id"], **changes) if method == "PUT" else None,
    )


def make_initial_access_token(
    site: Site, *, uses: int = 1, hours: int = 24, scopes: str = ""
) -> tuple[str, str]:
    """Its id and its text."""
    with site.db() as db:
        token, text = registration_tokens.create(
            db,
            uses=uses,
            lifetime=timedelta(hours=hours),
            scopes=frozenset(scopes.split()),
            now=site.clock.now,
        )
    return token.id, text
