"""What `doctor` says: one line for each thing that it looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do."""

    check: str
    result: Literal["ok", "warn", "fail"]
    finding: str
