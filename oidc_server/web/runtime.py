"""The objects that all requests of a process share, built once in `app.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from oidc_server.clock import Clock
from oidc_server.database import Database
from oidc_server.domain.signing_keys import KeyRing
from oidc_server.oauth2.access_tokens import AccessTokenReader
from oidc_server.oauth2.client_keys import ClientKeyStore
from oidc_server.oauth2.dpop_nonces import Nonces
from oidc_server.oauth2.upstream import Upstreams
from oidc_server.outbound.documents import Documents
from oidc_server.outbound.http import HttpClient
from oidc_server.outbound.leaked_passwords import LeakedPasswords
from oidc_server.outbound.mail import Transport
from oidc_server.security.encryption import Vault
from oidc_server.security.passwords import PasswordHasher
from oidc_server.security.signed_links import LinkSigner
from oidc_server.settings import Settings
from oidc_server.web.cookies import CookieJar
from oidc_server.web.lifecycle import Lifecycle
from oidc_server.web.load.gate import Gate
from oidc_server.web.load.lanes import FetchingLanes, HashingLane, Lane
from oidc_server.web.load.limiter import Limiter
from oidc_server.web.paths import Paths
from oidc_server.web.responses import Response
from oidc_server.web.templating import Templates


@dataclass(frozen=True)
class Runtime:
    """What a request may need that outlives it."""

    settings: Settings
    database: Database
    clock: Clock
    lane: Lane
    hashing: HashingLane
    fetching: FetchingLanes
    passwords: PasswordHasher
    leaked_passwords: LeakedPasswords
    vault: Vault
    links: LinkSigner
    keys: KeyRing
    client_keys: ClientKeyStore
    limiter: Limiter
    gate: Gate
    templates: Templates
    cookies: CookieJar
    mail: Transport
    http: HttpClient
    documents: Documents
    """What others publish and requests need, such as `jwks_uri`."""
    upstreams: Upstreams
    """Other providers that people sign in with."""
    paths: Paths
    static: Mapping[str, Response]
    """Static files by address, as finished answers."""
    metadata: bytes
    """The discovery document."""
    resource_metadata: bytes
    """The same of ourselves as a resource."""
    tokens: AccessTokenReader
    dpop_nonces: Nonces
    route_names: Mapping[object, str]
    """Names of routes by their endpoints."""
    csrf_key: bytes
    refresh_keys: tuple[bytes, ...]
    """Keys that successors of refresh tokens are derived with; the first one makes new ones."""

    lifecycle: Lifecycle = field(default_factory=Lifecycle)

    @cached_property
    def slow_after(self) -> float:
        """Seconds after which the log tells of what takes so long."""
        return self.settings.log_slow_after.total_seconds()

    @cached_property
    def issuer(self) -> str:
        """Our address, as everybody compares it."""
        return self.settings.issuer
