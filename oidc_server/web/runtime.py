"""The process-wide collaborators, built once in `app.py` and handed to every request."""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment

from ..clock import Clock
from ..database import Database
from ..domain.signing_keys import KeyRing
from ..oauth2.access_tokens import AccessTokenReader
from ..outbound.mail import Transport
from ..security.encryption import Vault
from ..security.passwords import PasswordHasher
from ..security.signed_links import LinkSigner
from ..settings import Settings
from .cookies import CookieJar
from .lanes import HashingLane, Lane
from .paths import Paths
from .rate_limit import Limiter
from .responses import Response


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
    static: Mapping[str, Response]
    """Static files by address, as finished answers."""
    metadata: bytes
    """The discovery document."""
    tokens: AccessTokenReader
    csrf_key: bytes
    refresh_keys: tuple[bytes, ...]
    """Keys that successors of refresh tokens are derived with; the first one makes new ones."""
