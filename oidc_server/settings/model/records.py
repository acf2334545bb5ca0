"""What the server writes down about its work."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from oidc_server.settings import listening
from oidc_server.settings.listening import Endpoint
from oidc_server.settings.model.group import Group, lower
from oidc_server.settings.values import Duration, between


class RecordSettings(Group):
    """The audit log and the logs."""

    audit_retention: Annotated[Duration, between("1d", "4000d")] = timedelta(days=365)
    """How long events are kept in the audit log."""

    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = (
        "info"
    )
    """`debug`, `info`, `warning` or `error`."""

    log_format: Literal["auto", "json", "console"] = "auto"
    """`json`, `console`, or `auto`: console on a terminal, else JSON."""

    log_slow_after: Annotated[Duration, between("0s", "1h")] = timedelta(seconds=1)
    """Requests and database statements that take this long are logged as slow."""

    log_directory: Path | None = Field(None, json_schema_extra={"default": "no files"})
    """Folder for `app.log`, with every line, and `error.log`, with the errors, both as JSON."""

    log_file_size: int = Field(50, ge=1, le=10_000)
    """Size in MiB after which a log file is rotated."""

    log_files: int = Field(10, ge=1, le=1000)
    """Rotated log files of each kind that are kept."""

    log_ship_to: Annotated[str | None, AfterValidator(listening.check_collector)] = Field(
        None, json_schema_extra={"default": "nowhere"}
    )
    """`tcp://host:port` of a collector that is sent every line, such as Logstash with the codec
    `json_lines`."""

    @property
    def log_collector(self) -> Endpoint | None:
        """`log_ship_to`, taken apart."""
        return None if self.log_ship_to is None else listening.parse_collector(self.log_ship_to)
