"""The composition root: the one place where every part of the server is chosen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from oidc_server import processors, resources, token
from oidc_server.clock import Clock, utc_now
from oidc_server.database import (
    Database,
    DatabaseBusyError,
    DatabaseUnavailableError,
    schema_version,
)
from oidc_server.database.schema_version import NoTablesError
from oidc_server.dev.mailbox import Mailbox
from oidc_server.discovery import metadata, protected_resource
from oidc_server.domain.signing_keys import KeyRing
from oidc_server.jobs import Jobs
from oidc_server.oauth2.access_tokens import AccessTokenReader
from oidc_server.oauth2.client_keys import ClientKeyStore
from oidc_server.oauth2.dpop_nonces import Nonces
from oidc_server.oauth2.upstream import Upstreams
from oidc_server.observability.statements import watch_for
from oidc_server.outbound.breaker import Breaker
from oidc_server.outbound.documents import Documents
from oidc_server.outbound.http import HttpClient
from oidc_server.outbound.leaked_passwords import LeakedPasswords
from oidc_server.outbound.mail import NoTransport, SmtpTransport, Transport
from oidc_server.outbound.shared_counts import SharedCounts
from oidc_server.routes import DEV_ROUTES, METADATA_ENDPOINTS, ROUTES
from oidc_server.security.encryption import Vault
from oidc_server.security.passwords import PasswordHasher
from oidc_server.security.signed_links import LinkSigner
from oidc_server.settings import Settings
from oidc_server.web import observing, templating
from oidc_server.web.cookies import CookieJar
from oidc_server.web.endpoint import NOT_FOUND, not_found
from oidc_server.web.load.database_lanes import PostgresqlLane, SqliteLane
from oidc_server.web.load.gate import Gate, OverloadedError
from oidc_server.web.load.lanes import FetchingLanes, HashingLane, Lane, ThreadPool
from oidc_server.web.load.limiter import Limiter
from oidc_server.web.paths import Paths
from oidc_server.web.responses import Response
from oidc_server.web.runtime import Runtime
from oidc_server.web.templating import Templates


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds for the head and for the body of a request; connections at once."""

    head: float
    body: float
    connections: int


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        settings.head_timeout.total_seconds(),
        settings.body_timeout.total_seconds(),
        settings.max_connections,
    )


class Server(Starlette):
    """A Starlette application that answers fixed addresses without walking the route table."""

    def __init__(self, runtime: Runtime, routes: list[Route], *, with_jobs: bool) -> None:
        super().__init__(routes=routes, lifespan=_lifespan(runtime, with_jobs=with_jobs))
        self.runtime = runtime
        self.bounds = _bounds(runtime.settings)
        self.router.redirect_slashes = False
        self.router.default = not_found
        self._fixed: dict[str, ASGIApp] = dict(runtime.static)
        self._fixed.update(
            (route.path, route.endpoint) for route in routes if "{" not in route.path
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["app"] = self
            found = self._fixed.get(scope["path"])
            if isinstance(found, Response) and scope["method"] not in ("GET", "HEAD"):
                found = NOT_FOUND
            if isinstance(found, Response):
                slow_after = self.runtime.slow_after
                await observing.send_static(found, scope, receive, send, slow_after)
                return
            if found is not None:
                await found(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def create_app(
    settings: Settings,
    clock: Clock = utc_now,
    *,
    dev: bool = False,
    with_jobs: bool = True,
    processes: int = 1,
) -> Server:
    """Build the server. `dev` adds the mailbox and the sample application.

    `processes` is how many processes serve on this node, this one included.
    """
    routes = [*ROUTES, *DEV_ROUTES] if dev else list(ROUTES)
    runtime = build_runtime(settings, clock, routes, dev=dev, processes=processes)
    return Server(runtime, routes, with_jobs=with_jobs)


def build_runtime(
    settings: Settings, clock: Clock, routes: list[Route], *, dev: bool = False, processes: int = 1
) -> Runtime:
    """Every collaborator of the process."""
    database, vault = _database(settings), Vault(settings.secret_keys)
    keys, paths = KeyRing(vault, settings.access_token_alg), Paths({r.name: r.path for r in routes})
    documents = Documents(http := HttpClient(settings), clock)
    templates, static = _templates(settings, paths, dev=dev)
    return Runtime(
        settings=settings,
        database=database,
        clock=clock,
        lane=_lane(database, settings),
        hashing=_hashing(settings, processes),
        fetching=FetchingLanes(),
        upstreams=Upstreams(settings, clock),
        passwords=_passwords(settings),
        leaked_passwords=LeakedPasswords(settings),
        vault=vault,
        links=LinkSigner(settings.secret_keys),
        keys=keys,
        client_keys=ClientKeyStore(documents),
        tokens=AccessTokenReader(keys, settings.issuer, settings.leeway),
        gate=Gate(settings),
        limiter=Limiter(settings, _shared_counts(settings), processes=processes),
        templates=templates,
        cookies=CookieJar(secure=settings.secure_cookies),
        paths=paths,
        mail=_mail(settings, clock, dev=dev),
        http=http,
        documents=documents,
        static=static,
        metadata=_metadata(settings, paths),
        resource_metadata=_resource_metadata(settings, paths),
        dpop_nonces=_dpop_nonces(settings, vault),
        route_names={route.endpoint: route.name for route in routes},
        csrf_key=vault.derive("csrf"),
        refresh_keys=vault.derive_all("refresh-token"),
    )


def _database(settings: Settings) -> Database:
    # What nobody waits for any more ends in the database too.
    seconds = settings.database_timeout.total_seconds()
    return Database(settings.database_url, watch_for(settings), statement_timeout=seconds)


def _templates(
    settings: Settings, paths: Paths, *, dev: bool
) -> tuple[Templates, dict[str, Response]]:
    """The pages, and the answers for the files that they refer to."""
    secure = settings.secure_cookies
    addresses, static = templating.load_static(resources.static_dir(), secure=secure)
    brand, brand_files = templating.load_brand(settings, secure=secure)
    return Templates(brand, paths, addresses, auto_reload=dev), static | brand_files


def _lane(database: Database, settings: Settings) -> Lane:
    most_wait = settings.max_wait.total_seconds()
    if database.is_sqlite:
        return SqliteLane(database, most_wait)
    breaker = Breaker(
        "database",
        settings.database_breaker_failures,
        settings.database_breaker_open.total_seconds(),
        settings.database_breaker_successes,
        answers=(DatabaseBusyError,),
    )
    seconds = settings.database_timeout.total_seconds()
    threads = ThreadPool(settings.database_threads)
    return PostgresqlLane(database, threads, breaker, seconds, most_wait)


def _hashing(settings: Settings, processes: int) -> HashingLane:
    concurrency = settings.hash_concurrency or processors.threads(processes)
    return HashingLane(concurrency, settings.hash_queue)


def _shared_counts(settings: Settings) -> SharedCounts | None:
    url = settings.redis_url
    if url is None:
        return None
    # Its client is a tenth of what the process loads, and most do without.
    from oidc_server.outbound.redis_counts import RedisCounts  # noqa: PLC0415 - see above

    return RedisCounts(settings, url.get_secret_value())


def _passwords(settings: Settings) -> PasswordHasher:
    return PasswordHasher(
        settings.argon2_time_cost, settings.argon2_memory_kib, settings.argon2_parallelism
    )


def _dpop_nonces(settings: Settings, vault: Vault) -> Nonces:
    required = settings.dpop_nonce == "required"
    return Nonces(vault.derive_all("dpop-nonce"), required=required)


def _metadata(settings: Settings, paths: Paths) -> bytes:
    issuer = settings.issuer
    endpoints = {name: issuer + paths.path(route) for name, route in METADATA_ENDPOINTS.items()}
    if settings.registration == "closed":
        del endpoints["registration_endpoint"]
    return metadata.document(
        issuer,
        endpoints,
        [grant.GRANT_TYPE for grant, _ in token.GRANTS],
        sign_up_open=settings.sign_up == "open",
        require_par=settings.require_par,
    )


def _resource_metadata(settings: Settings, paths: Paths) -> bytes:
    jwks_uri = settings.issuer + paths.path(METADATA_ENDPOINTS["jwks_uri"])
    return protected_resource.document(settings.issuer, jwks_uri, settings.brand_name)


def _lifespan(
    runtime: Runtime, *, with_jobs: bool
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        jobs = Jobs()
        if with_jobs:
            jobs.start(runtime)
        warming = asyncio.ensure_future(_warm_up(runtime))
        try:
            yield
        finally:
            await warming
            if with_jobs:
                jobs.stop()
            await runtime.limiter.close()
            runtime.lane.close()
            runtime.hashing.close()
            runtime.fetching.close()
            runtime.database.close()
            runtime.lifecycle.end()

    return lifespan


async def _warm_up(runtime: Runtime) -> None:
    """Do what the first request would wait for, and what could not be done on a full disk."""
    # SQLite needs room to open what no process has open: whoever dies must not be the only one.
    with suppress(DBAPIError, DatabaseUnavailableError, NoTablesError, OverloadedError):
        await runtime.lane.run(partial(_open, runtime.database), "read")
    # The first name that nobody has must not take longer than the others.
    await runtime.hashing.run(lambda: runtime.passwords.dummy)


def _open(database: Database) -> None:
    with database.transaction("read") as db:
        schema_version.version(db)


def _mail(settings: Settings, clock: Clock, *, dev: bool) -> Transport:
    """Where mails go: to the mail server; without one to the mailbox of `--dev`, or nowhere yet."""
    if settings.smtp_server is not None:
        return SmtpTransport(settings, clock)
    if dev:
        return Mailbox(settings.data_dir / "dev-mails", clock)
    return NoTransport()
