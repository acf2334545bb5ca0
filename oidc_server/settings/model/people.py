"""Who may have an account, and what proves that it is theirs."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from oidc_server.settings import values
from oidc_server.settings.model.group import Group, lower
from oidc_server.settings.values import Duration, between

SignUp = Literal["open", "invite", "closed"]
SecondFactor = Literal["optional", "required", "admins"]


def _default_sign_up(data: dict[str, Any]) -> SignUp:
    return "open" if values.is_loopback_host(values.issuer_host(data["issuer"])) else "invite"


class PeopleSettings(Group):
    """Accounts, passwords and second factors."""

    sign_up: SignUp = Field(
        default_factory=_default_sign_up,
        json_schema_extra={"default": "`open` on localhost, else `invite`"},
    )
    """Who may create an account: everybody, the invited, or nobody."""

    password_min_length: int = Field(8, ge=8, le=64)
    """Minimum length of a new password. NIST asks for 15 where there is no second factor."""

    breached_passwords_list: Path | None = Field(None, json_schema_extra={"default": "none"})
    """File of leaked passwords, which are refused; made by `passwords build-breached-list`."""

    breached_passwords_url: Annotated[str | None, AfterValidator(values.check_range_url)] = Field(
        None, json_schema_extra={"default": "nobody is asked"}
    )
    """Service that knows leaked passwords, such as `https://api.pwnedpasswords.com/range`. It gets
    five digits of a digest, has 1.5 seconds to answer, and is skipped if it fails."""

    second_factor: Annotated[SecondFactor, BeforeValidator(lower)] = "optional"
    """Who must have a second factor, and sets one up at the next sign-in: nobody (`optional`),
    everybody (`required`), or administrators (`admins`). A session that began without one can
    neither authorize applications, do anything sensitive nor administer others, until its owner has
    proved one."""

    trusted_device_lifetime: Annotated[Duration, between("0s", "400d")] = timedelta(days=30)
    """How long a trusted browser skips the second step; `0` turns this off. Administrators are
    always asked."""

    argon2_time_cost: int = Field(2, ge=1, le=20)
    """Argon2id passes."""

    argon2_memory_kib: int = Field(19456, ge=8, le=1_048_576)
    """Argon2id memory of one hash, in KiB."""

    argon2_parallelism: int = Field(1, ge=1, le=16)
    """Argon2id lanes."""

    hash_concurrency: int | None = Field(
        None,
        ge=1,
        le=256,
        json_schema_extra={
            "default": "processors that the server may use, divided by its workers, and one more"
        },
    )
    """Passwords hashed at the same time in each worker."""

    hash_queue: int = Field(64, ge=1, le=10_000)
    """Passwords that may wait to be hashed; further ones get 503."""
