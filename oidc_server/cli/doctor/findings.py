"""What `doctor` says: one line for each thing that it looked at."""

from dataclasses import dataclass
from typing import Literal

import orjson

from oidc_server.domain.clients import Client


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do; of `advice` nothing is wrong."""

    check: str
    result: Literal["ok", "advice", "warn", "fail"]
    finding: str


def named(client: Client) -> str:
    """A client as a person and a command know it."""
    return f"{client.metadata.client_name} ({client.client_id})"


def edit_client(**members: object) -> str:
    """The end of many a line about clients: a command that gives one these members."""
    example = orjson.dumps(members).decode()
    return f"echo '{example}' | oidc-server clients edit CLIENT_ID --metadata -"
