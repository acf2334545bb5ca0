"""What guards the server against floods and failing neighbours."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from oidc_server.settings.model.group import Group
from oidc_server.settings.values import Duration, between


class ProtectionSettings(Group):
    """Limits and breakers."""

    rate_limits: bool = True
    """`off` lifts all rate limits; for measurements only."""

    breaker_failures: int = Field(5, ge=1, le=1000)
    """So many failures in a row of a neighbour (mail, another provider), and it is left alone."""

    breaker_open: Annotated[Duration, between("1s", "1h")] = timedelta(minutes=1)
    """For so long it is left alone before it is tried again."""

    breaker_successes: int = Field(3, ge=1, le=100)
    """So many trials must succeed before it is trusted again."""
