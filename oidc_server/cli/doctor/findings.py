"""What `doctor` says: one line for each thing that it looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do; of `advice` nothing is wrong."""

    check: str
    result: Literal["ok", "advice", "warn", "fail"]
    finding: str


EDIT_CLIENT = "oidc-server clients edit CLIENT_ID --metadata FILE"
"""The end of many a line about clients."""
