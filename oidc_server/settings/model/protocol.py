"""What is asked of clients."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from oidc_server.settings import values
from oidc_server.settings.model.group import Group, lower


class ProtocolSettings(Group):
    """What is asked of clients, and what is told to them."""

    pkce: Literal["required", "public"] = "required"
    """`required`: every client must send a code challenge, unless it was added with `--no-pkce`.
    `public`: of clients that register themselves, only public ones must."""

    registration: Annotated[Literal["closed", "token", "open"], BeforeValidator(lower)] = "closed"
    """Dynamic client registration: `closed` for everybody, with a `token` from `registration-tokens
    create`, or `open` to everybody."""

    registration_scopes: Annotated[
        tuple[str, ...], values.TextList, AfterValidator(values.check_scopes)
    ] = ()
    """Scopes of resource servers, such as `notes:read`, separated by commas, which every client
    that registers itself may ask people for, beyond the standard ones. MCP clients need those of
    their MCP server."""

    require_par: bool = False
    """`on` refuses authorization requests that were not pushed, for every client (RFC 9126)."""

    dpop_nonce: Annotated[Literal["off", "required"], BeforeValidator(lower)] = "off"
    """`required`: DPoP proofs must hold a nonce of the server, so the clocks of clients do not
    matter."""

    api_docs: bool = True
    """`off` removes the documentation of the API: `/openapi.json`, `/docs` and `/redoc`."""

    api_docs_client_id: str | None = Field(
        None, json_schema_extra={"default": "whoever signs in types one"}
    )
    """Client that `/docs` signs people in with."""
