"""From parameters to a validated `AuthorizationRequest`.

First of all: where may an answer go (`trusted.py`)? Before a `Trusted` exists, nothing is ever
redirected. Then ordered checks, one per rule (`checks.py`). `reading.py` does both.
"""

from oidc_server.authorization.request.reading import RefusedRequestError, read, read_pushed
from oidc_server.authorization.request.trusted import (
    Trusted,
    is_registered,
)

__all__ = [
    "RefusedRequestError",
    "Trusted",
    "is_registered",
    "read",
    "read_pushed",
]
