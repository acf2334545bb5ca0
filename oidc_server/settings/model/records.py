"""What the server writes down about its work."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator

from oidc_server.settings.model.group import Group, lower
from oidc_server.settings.values import Duration, between


class RecordSettings(Group):
    """The audit log and the logs."""

    audit_retention: Annotated[Duration, between("1d", "4000d")] = timedelta(days=365)
    """Events are kept in the audit log for so long."""

    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = (
        "info"
    )
    """`debug`, `info`, `warning` or `error`."""

    log_format: Literal["auto", "json", "console"] = "auto"
    """`json`, `console`, or `auto`: console on a terminal, else JSON."""
