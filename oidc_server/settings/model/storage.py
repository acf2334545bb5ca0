"""What the server keeps, and with which secret."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from oidc_server.settings import values
from oidc_server.settings.model.group import Group
from oidc_server.settings.values import Duration, between


def _default_database_url(data: dict[str, Any]) -> str:
    return f"sqlite:///{data['data_dir'] / 'oidc.db'}"


class StorageSettings(Group):
    """What the server keeps."""

    data_dir: Path = Path("data")
    """Folder for what the server creates itself: the SQLite database and its secret."""

    database_url: Annotated[str, AfterValidator(values.parse_database_url)] = Field(
        default_factory=_default_database_url,
        repr=False,
        json_schema_extra={"default": "`sqlite:///<data_dir>/oidc.db`"},
    )
    """`sqlite:///path` or `postgresql://user:password@host/name`."""

    database_threads: int = Field(4, ge=1, le=64)
    """Threads of each worker for PostgreSQL, with one connection each."""

    database_timeout: Annotated[Duration, between("1s", "5m")] = timedelta(seconds=10)
    """How long a request waits for PostgreSQL; then it gets 503, and the connection is closed.
    PostgreSQL cancels statements after the same time."""

    database_breaker_failures: int = Field(5, ge=1, le=1000)
    """Failures of PostgreSQL in a row after which its circuit breaker opens: requests get 503 at
    once."""

    database_breaker_open: Annotated[Duration, between("1s", "1h")] = timedelta(seconds=2)
    """How long it stays open before one request tries again."""

    database_breaker_successes: int = Field(1, ge=1, le=100)
    """Trials that must succeed before it closes."""

    secret_key: Annotated[
        tuple[SecretStr, ...],
        values.TextList,
        AfterValidator(values.check_secrets),
    ] = Field((), json_schema_extra={"default": "made in `<data_dir>/secret.key` with SQLite"})
    """Encrypts keys and signs links; at least 32 characters. Several, separated by commas, rotate
    it: the first encrypts, all decrypt. Required for PostgreSQL, the same on every node."""

    backup_key: SecretStr | None = Field(
        None, json_schema_extra={"default": "asked for at the terminal"}
    )
    """What `backup` encrypts for and `restore` opens with: a passphrase of 15 characters or more,
    or a key of `age-keygen`, of which `backup` needs the public line only."""

    @field_validator("secret_key")
    @classmethod
    def _check_shared_secret(
        cls, value: tuple[SecretStr, ...], info: ValidationInfo
    ) -> tuple[SecretStr, ...]:
        if not value and info.data.get("database_url", "").startswith("postgresql"):
            raise ValueError(
                "PostgreSQL serves several nodes, and they share this secret: after db copy it is"
                " in secret.key of the data folder, else make one with: openssl rand -base64 48"
            )
        return value

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The secrets in clear, for `Vault` and `LinkSigner`."""
        return tuple(secret.get_secret_value() for secret in self.secret_key)
