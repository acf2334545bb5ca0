"""Every setting, its default and what it is for. The README's table is made from this file."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from oidc_server.settings import branding, values
from oidc_server.settings.values import Duration, IPNetwork, SmtpServer, between

PREFIX = "OIDC_"

SignUp = Literal["open", "invite", "closed"]
SecondFactor = Literal["optional", "required", "admins"]


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def _default_database_url(data: dict[str, Any]) -> str:
    return f"sqlite:///{data['data_dir'] / 'oidc.db'}"


def _default_mail_from(data: dict[str, Any]) -> str:
    host = values.issuer_host(data["issuer"])
    if values.is_loopback_host(host):
        host = "localhost"
    is_literal = ":" in host or host.rpartition(".")[2].isdigit()
    return f"no-reply@[{host}]" if is_literal else f"no-reply@{host}"


def _default_sign_up(data: dict[str, Any]) -> SignUp:
    return "open" if values.is_loopback_host(values.issuer_host(data["issuer"])) else "invite"


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything an operator may choose. Flat names; the groups are for readers."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )

    # Where the server is

    issuer: Annotated[str, AfterValidator(values.check_issuer)] = Field(
        json_schema_extra={"default": "`http://localhost:<port>` when bound to loopback"}
    )
    """The address people and applications reach this server at; it is in every token, so it stays.
    https, or http on localhost."""

    trusted_proxies: Annotated[tuple[IPNetwork, ...], BeforeValidator(values.parse_networks)] = ()
    """Networks of the reverse proxies whose `X-Forwarded-For` is believed, with commas between."""

    outbound_allow: Annotated[tuple[IPNetwork, ...], BeforeValidator(values.parse_networks)] = ()
    """Private networks where addresses that clients name (`jwks_uri` and the like) may be, with
    commas between. Without it, only public addresses are asked."""

    # What it keeps

    data_dir: Path = Path("data")
    """Folder of what the server itself makes: the SQLite database and its secret."""

    database_url: Annotated[str, AfterValidator(values.parse_database_url)] = Field(
        default_factory=_default_database_url,
        repr=False,
        json_schema_extra={"default": "`sqlite:///<data_dir>/oidc.db`"},
    )
    """`sqlite:///path` or `postgresql://user:password@host/name`."""

    database_threads: int = Field(4, ge=1, le=64)
    """Threads, each with one connection, that wait for PostgreSQL in each worker."""

    secret_key: Annotated[
        tuple[SecretStr, ...],
        values.TextList,
        AfterValidator(values.check_secrets),
    ] = Field((), json_schema_extra={"default": "made in `<data_dir>/secret.key` with SQLite"})
    """Encrypts keys and signs links; at least 32 characters. Several, with commas between, rotate
    it: the first encrypts, all decrypt. PostgreSQL needs it, the same on every node."""

    # Mail and name

    smtp_url: SecretStr | None = Field(None, json_schema_extra={"default": "no mail is sent"})
    """`smtp://user:password@host:587` or `smtps://…`; `?starttls=required`, `optional` or `off`."""

    mail_from: Annotated[str, AfterValidator(values.check_address)] = Field(
        default_factory=_default_mail_from,
        json_schema_extra={"default": "`no-reply@` and the issuer's host"},
    )
    """Address that mails come from."""

    brand_name: Annotated[str, AfterValidator(values.check_name)] = Field(
        "Your ID", min_length=1, max_length=60
    )
    """What the pages and mails call this server."""

    brand_logo: Annotated[Path | None, AfterValidator(branding.check_logo)] = Field(
        None, json_schema_extra={"default": "our own mark"}
    )
    """File of a square PNG or SVG picture, at most 32 KiB, which pages show as our mark."""

    brand_color: Annotated[str | None, AfterValidator(branding.check_color)] = Field(
        None, json_schema_extra={"default": "our own colour"}
    )
    """Colour of buttons and links, such as `#6d1f4f`. Where text in it or on it could not be read
    (WCAG AA), it is darkened or lightened until it can, in light and in dark."""

    help_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Page where people get help; in the foot of every page."""

    privacy_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Privacy policy, in the foot of every page."""

    terms_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Terms of service, in the foot of every page."""

    # People

    sign_up: SignUp = Field(
        default_factory=_default_sign_up,
        json_schema_extra={"default": "`open` on localhost, else `invite`"},
    )
    """Who may create an account: everybody, the invited, or nobody."""

    password_min_length: int = Field(8, ge=8, le=64)
    """Fewest characters of a new password. NIST asks for 15 where there is no second factor."""

    breached_passwords_list: Path | None = Field(None, json_schema_extra={"default": "none"})
    """A list of leaked passwords, made by `passwords build-breached-list`: they are refused."""

    breached_passwords_url: Annotated[str | None, AfterValidator(values.check_range_url)] = Field(
        None, json_schema_extra={"default": "nobody is asked"}
    )
    """A service that knows leaked passwords, such as `https://api.pwnedpasswords.com/range`. It is
    sent five digits of a digest, waited for 1.5 seconds at most, and done without if it fails."""

    second_factor: Annotated[SecondFactor, BeforeValidator(_lower)] = "optional"
    """Who must have a second factor, and sets one up at the next sign-in: nobody (`optional`),
    everybody (`required`), or administrators (`admins`). A session that began without one leads no
    app on, does nothing that is sensitive and acts on nobody else, until its owner has shown
    one."""

    trusted_device_lifetime: Annotated[Duration, between("0s", "400d")] = timedelta(days=30)
    """For so long a browser can be spared the second step; `0` offers it to nobody. Administrators
    are always asked."""

    argon2_time_cost: int = Field(2, ge=1, le=20)
    """Argon2id passes."""

    argon2_memory_kib: int = Field(19456, ge=8, le=1_048_576)
    """Argon2id memory of one hash, in KiB."""

    argon2_parallelism: int = Field(1, ge=1, le=16)
    """Argon2id lanes."""

    hash_concurrency: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        json_schema_extra={"default": "number of processors"},
    )
    """Passwords hashed at the same time in each worker."""

    hash_queue: int = Field(64, ge=1, le=10_000)
    """Passwords waiting to be hashed before further ones get 503."""

    # Sessions and links

    session_idle_lifetime: Annotated[Duration, between("1m", "400d")] = timedelta(hours=12)
    """A browser session ends when unused for so long."""

    session_absolute_lifetime: Annotated[Duration, between("1m", "400d")] = timedelta(days=30)
    """A browser session ends after so long in any case."""

    link_lifetime: Annotated[Duration, between("1m", "7d")] = _minutes(60)
    """A mailed link works for so long."""

    mailed_code_lifetime: Annotated[Duration, between("1m", "1h")] = _minutes(10)
    """A mailed code, which is typed instead of using the link, works for so long."""

    email_undo_lifetime: Annotated[Duration, between("1h", "90d")] = timedelta(days=7)
    """Whoever reads the address that an account had can take its change back for so long."""

    account_deletion_grace: Annotated[Duration, between("0s", "400d")] = timedelta(days=14)
    """An account whose owner wants it deleted is shut at once, and deleted after so long, unless
    they sign in again; `0` deletes it at once."""

    # Tokens

    authorization_request_lifetime: Annotated[Duration, between("1m", "1d")] = _minutes(15)
    """Time to sign in and consent."""

    pushed_request_lifetime: Annotated[Duration, between("5s", "10m")] = _minutes(1)
    """Time to send the browser with a request that was pushed (RFC 9126)."""

    authorization_code_lifetime: Annotated[Duration, between("1s", "10m")] = _minutes(1)
    """Time to redeem an authorization code."""

    device_code_lifetime: Annotated[Duration, between("1m", "30m")] = _minutes(10)
    """Time to type the code of a device, sign in and allow it."""

    access_token_lifetime: Annotated[Duration, between("1s", "1d")] = _minutes(10)
    """Access tokens cannot be recalled everywhere at once: keep this short."""

    access_token_alg: Literal["ES256", "RS256", "PS256", "EdDSA"] = "ES256"
    """Signs access tokens."""

    id_token_lifetime: Annotated[Duration, between("1s", "1d")] = _minutes(10)
    """Time within which an application must accept an ID Token."""

    refresh_token_idle_lifetime: Annotated[Duration, between("1m", "400d")] = timedelta(days=14)
    """A refresh token ends when unused for so long."""

    refresh_token_absolute_lifetime: Annotated[Duration, between("1m", "400d")] = timedelta(days=30)
    """Refreshing ends after so long in any case."""

    refresh_token_grace: Annotated[Duration, between("0s", "60s")] = timedelta(seconds=10)
    """Within it, a refresh token presented again gets the same successor instead of an alarm."""

    leeway: Annotated[Duration, between("0s", "60s")] = timedelta(seconds=2)
    """Difference between two clocks that is forgiven."""

    key_rotation_interval: Annotated[Duration, between("1d", "400d")] = timedelta(days=90)
    """Signing keys are replaced so often."""

    audit_retention: Annotated[Duration, between("1d", "4000d")] = timedelta(days=365)
    """Events are kept in the audit log for so long."""

    pkce: Literal["required", "public"] = "required"
    """Whether every client sends a code challenge, or of those that register themselves only the
    public ones."""

    registration: Annotated[Literal["closed", "token", "open"], BeforeValidator(_lower)] = "closed"
    """`closed`, `token` or `open`: no application registers itself, those do that hold a token from
    `registration-tokens create`, or all do."""

    require_par: bool = False
    """`on` refuses authorization requests that were not pushed, of every client (RFC 9126)."""

    dpop_nonce: Annotated[Literal["off", "required"], BeforeValidator(_lower)] = "off"
    """Whether a DPoP proof must hold a nonce of ours; then the clocks of clients do not matter."""

    api_docs: bool = True
    """`off` takes away the description of the API: `/openapi.json`, `/docs` and `/redoc`."""

    api_docs_client_id: str | None = Field(
        None, json_schema_extra={"default": "whoever signs in types one"}
    )
    """Client that `/docs` signs people in with."""

    # Watching and protecting

    rate_limits: bool = True
    """`off` lifts all rate limits; for measurements only."""

    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = (
        "info"
    )
    """`debug`, `info`, `warning` or `error`."""

    log_format: Literal["auto", "json", "console"] = "auto"
    """`json`, `console`, or `auto`: console on a terminal, else JSON."""

    breaker_failures: int = Field(5, ge=1, le=1000)
    """So many failures in a row of a neighbour (mail, another provider), and it is left alone."""

    breaker_open: Annotated[Duration, between("1s", "1h")] = _minutes(1)
    """For so long it is left alone before it is tried again."""

    breaker_successes: int = Field(3, ge=1, le=100)
    """So many trials must succeed before it is trusted again."""

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            values.parse_smtp_url(value.get_secret_value())
        return value

    @field_validator("secret_key")
    @classmethod
    def _check_shared_secret(
        cls, value: tuple[SecretStr, ...], info: ValidationInfo
    ) -> tuple[SecretStr, ...]:
        if not value and info.data.get("database_url", "").startswith("postgresql"):
            raise ValueError(
                "PostgreSQL serves several nodes, and they share this secret:"
                " make one with: openssl rand -base64 48"
            )
        return value

    @field_validator("session_absolute_lifetime", "refresh_token_absolute_lifetime")
    @classmethod
    def _check_absolute(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        idle_name = (info.field_name or "").replace("absolute", "idle")
        if value < info.data.get(idle_name, timedelta()):
            raise ValueError(f"choose at least {PREFIX}{idle_name.upper()}")
        return value

    @property
    def is_loopback(self) -> bool:
        """Whether the issuer is this machine only."""
        return values.is_loopback_host(values.issuer_host(self.issuer))

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are `Secure` and named `__Host-…`: whenever the issuer is https."""
        return self.issuer.startswith("https://")

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The secrets in clear, for `Vault` and `LinkSigner`."""
        return tuple(secret.get_secret_value() for secret in self.secret_key)

    @property
    def smtp_server(self) -> SmtpServer | None:
        """`smtp_url`, taken apart."""
        return values.parse_smtp_url(self.smtp_url.get_secret_value()) if self.smtp_url else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values come from `load()` only, which also tells of unknown names."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


class SettingDescription(NamedTuple):
    """One row of the README's table."""

    name: str
    default: str
    description: str


def describe() -> list[SettingDescription]:
    """Every setting in the order of the model, with its default as an operator would write it."""
    return [
        SettingDescription(
            name=PREFIX + name.upper(),
            default=_default_text(info),
            description=" ".join((info.description or "").split()),
        )
        for name, info in Settings.model_fields.items()
    ]


def _default_text(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    if isinstance(extra, dict):
        return str(extra["default"])
    match info.default:
        case bool(flag):
            return "`on`" if flag else "`off`"
        case timedelta() as duration:
            return f"`{values.format_duration(duration)}`"
        case ():
            return "none"
        case value:
            return f"`{value}`"
