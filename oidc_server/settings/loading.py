"""Where values come from: the environment, `.env`, and the secret a SQLite server makes itself."""

import difflib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from oidc_server.settings import values
from oidc_server.settings.model import PREFIX, Settings

_FILE_SUFFIX = "_FILE"
DEFAULT_PORT = 8000
_KNOWN = {PREFIX + name.upper(): name for name in Settings.model_fields}
_NOT_SHOWN = {
    "secret_key",
    "smtp_url",
    "redis_url",
    "backup_key",
    "database_url",
    "issuer",
    "sentry_dsn",
}  # may hold a password
_KUBERNETES = re.compile(
    r"OIDC_(SERVICE_|PORT).*=.*"
    r"|OIDC_[A-Z0-9_]+_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP)).*=.*"
    r"|OIDC_[A-Z0-9_]+_PORT=(tcp|udp|sctp)://.*",
    re.DOTALL,
)
"""What Kubernetes puts into every container beside a Service called `oidc` or `oidc-…`."""


class SettingsError(Exception):
    """The settings cannot be used. Its text lists every problem with its fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["The settings cannot be used:", *(f"  {p}" for p in problems)]))
        self.problems = problems


def load(
    env: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
    *,
    host: str | None = None,
    port: int | None = None,
) -> Settings:
    """Read all settings, or raise SettingsError with all problems at once.

    `env` is the environment of the process unless given; it beats `env_file`, which need not
    exist. `host` and `port` are what the server is bound to, and give the issuer its default.
    """
    problems: list[str] = []
    found = _collect(os.environ if env is None else env, env_file, problems)
    if "issuer" not in found:
        if host is None or values.is_loopback_host(host):
            found["issuer"] = _local_issuer(port or DEFAULT_PORT)
        else:
            problems.append(
                f"OIDC_ISSUER: is needed, as {host} is reached from elsewhere;"
                " set it to the address people will use, such as https://id.example.com"
            )
    try:
        settings = Settings.model_validate(found)
    except ValidationError as error:
        problems += [_explain(detail) for detail in error.errors() if _is_cause(detail)]
        raise SettingsError(problems) from None  # the cause would repeat the input, secrets too
    if problems:
        raise SettingsError(problems)
    if settings.secret_key:
        return settings
    return settings.model_copy(update={"secret_key": ensure_secret_key(settings.data_dir)})


def ensure_secret_key(data_dir: Path) -> tuple[SecretStr, ...]:
    """The secrets in `data_dir`/secret.key; the file is made on first use, readable to its owner.

    Of several processes at once one makes it and all read the same: the finished file is linked
    into place, which fails if the name is taken. Raises SettingsError.
    """
    path = data_dir / "secret.key"
    try:
        if not path.exists():
            _make_secret(path)
        items = values.parse_list(path.read_text(encoding="utf-8"))
        kept = values.check_secrets(SecretStr(item) for item in items)
    except OSError as error:
        fix = f"make {data_dir} writable for this user, or set OIDC_SECRET_KEY"
        raise SettingsError([f"{path}: {error.strerror or error}; {fix}"]) from error
    except ValueError as error:
        raise SettingsError([f"{path}: {error}"]) from error
    if not kept:
        raise SettingsError([f"{path}: is empty; restore it, or delete it if the data is new"])
    return kept


def keeps_own_secret(settings: Settings) -> bool:
    """Whether the secret in use is the file that SQLite makes, which we may add to."""
    path = settings.data_dir / "secret.key"
    return path.exists() and ensure_secret_key(settings.data_dir) == settings.secret_key


def add_secret_keys(data_dir: Path, more: Iterable[str]) -> None:
    """Let what was sealed with these secrets be opened, too. Raises `OSError`."""
    path = data_dir / "secret.key"
    known = path.read_text(encoding="utf-8").rstrip("\n")
    draft = _draft(path, "\n".join([known, *more]))
    draft.replace(path)


def _make_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, secrets.token_urlsafe(48))
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first
    finally:
        draft.unlink()


def _draft(path: Path, text: str) -> Path:
    """A finished file beside it, which only its owner can read."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # O_EXCL, mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Path(draft)


def _local_issuer(port: int) -> str:
    return "http://localhost" if port == 80 else f"http://localhost:{port}"


def _collect(env: Mapping[str, str], env_file: Path | None, problems: list[str]) -> dict[str, str]:
    """Field → text, with `X_FILE` read. Empty values count as not set, as compose passes them.

    `X` or `X_FILE` of the environment takes the place of either in `env_file`.
    """
    present = {name: value for name, value in env.items() if value}
    chosen = {name.removesuffix(_FILE_SUFFIX) for name in present}
    from_file = dotenv_values(env_file, interpolate=False) if env_file else {}
    from_file = {k: v for k, v in from_file.items() if k.removesuffix(_FILE_SUFFIX) not in chosen}
    given = {name: value for name, value in (from_file | present).items() if value}
    found: dict[str, str] = {}
    for name, value in sorted(given.items()):
        plain = name.removesuffix(_FILE_SUFFIX)
        if name in _KNOWN:
            found[_KNOWN[name]] = value
        elif name == plain + _FILE_SUFFIX and plain in _KNOWN:
            if plain in given:
                problems.append(f"{plain}: is set together with {name}; keep one of them")
                continue
            try:
                found[_KNOWN[plain]] = Path(value).read_text(encoding="utf-8").strip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "is not text"
                problems.append(f"{name}: {value} cannot be read: {reason}")
        elif _is_ours(name, value):
            problems.append(f"{name}: is not a setting{_nearest(name.upper())}")
    return found


def _is_ours(name: str, value: str) -> bool:
    """Whether a name we do not know was probably meant for us."""
    if name.startswith(PREFIX):
        return not _KUBERNETES.fullmatch(f"{name}={value}")
    return name.upper().removesuffix(_FILE_SUFFIX) in _KNOWN


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name, [*_KNOWN, *(n + _FILE_SUFFIX for n in _KNOWN)], n=1)
    return f"; did you mean {close[0]}?" if close else "; the README lists all settings"


def _is_cause(detail: ErrorDetails) -> bool:
    """Whether this is a problem of its own, not the consequence of one that is listed anyway."""
    return detail["type"] not in ("default_factory_not_called", "missing")


def _explain(detail: ErrorDetails) -> str:
    field = str(detail["loc"][0])
    message = str(detail.get("ctx", {}).get("error") or detail["msg"])
    if detail["type"] == "bool_parsing":
        message = "write on or off"
    message = message.replace("Input should", "should").replace("String should", "should")
    shown = "" if field in _NOT_SHOWN else f" ({detail['input']!r})"
    return f"{PREFIX}{field.upper()}{shown}: {message}"
