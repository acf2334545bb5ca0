"""The process-wide collaborators, built once in `app.py` and handed to every request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment

from ..clock import Clock
from ..database import Database
from ..domain.signing_keys import KeyRing
from ..outbound.mail import Transport
from ..security.encryption import Vault
from ..security.passwords import PasswordHasher
from ..security.signed_links import LinkSigner
from ..settings import Settings
from .cookies import CookieJar
from .lanes import HashingLane, Lane
from .paths import Paths
from .rate_limit import Limiter


@dataclass(frozen=True)
class Runtime:
    """Everything a request may need that outlives it."""

    settings: Settings
    issuer: str
    database: Database
    clock: Clock
    lane: Lane
    hashing: HashingLane
    passwords: PasswordHasher
    vault: Vault
    links: LinkSigner
    keys: KeyRing
    limiter: Limiter
    templates: Environment
    cookies: CookieJar
    mail: Transport
    paths: Paths
    csrf_key: bytes
    refresh_key: bytes
    browser_key: bytes
    setup_done: list[bool] = field(default_factory=list)
    """Non-empty once an administrator is known to exist; never goes back."""
    extras: Mapping[str, Any] = field(default_factory=dict)
