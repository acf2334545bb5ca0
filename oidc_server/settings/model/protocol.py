"""What is asked of clients."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from oidc_server.settings.model.group import Group, lower


class ProtocolSettings(Group):
    """What is asked of clients, and what is told to them."""

    pkce: Literal["required", "public"] = "required"
    """Whether every client sends a code challenge, or of those that register themselves only the
    public ones."""

    registration: Annotated[Literal["closed", "token", "open"], BeforeValidator(lower)] = "closed"
    """`closed`, `token` or `open`: no application registers itself, those do that hold a token from
    `registration-tokens create`, or all do."""

    require_par: bool = False
    """`on` refuses authorization requests that were not pushed, of every client (RFC 9126)."""

    dpop_nonce: Annotated[Literal["off", "required"], BeforeValidator(lower)] = "off"
    """Whether a DPoP proof must hold a nonce of ours; then the clocks of clients do not matter."""

    api_docs: bool = True
    """`off` takes away the description of the API: `/openapi.json`, `/docs` and `/redoc`."""

    api_docs_client_id: str | None = Field(
        None, json_schema_extra={"default": "whoever signs in types one"}
    )
    """Client that `/docs` signs people in with."""
