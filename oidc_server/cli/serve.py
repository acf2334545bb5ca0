"""`oidc-server serve`: migrate, then answer requests."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
import uvicorn

from oidc_server import schema
from oidc_server.cli.alone import TakenError, alone
from oidc_server.cli.failures import telling_in_words
from oidc_server.cli.setup_url import setup_url
from oidc_server.cli.workshop import database_of
from oidc_server.clock import utc_now
from oidc_server.domain import audit, links
from oidc_server.domain.audit import COMMAND_LINE, Event
from oidc_server.observability import beginning
from oidc_server.security.encryption import Vault
from oidc_server.serving.connections import BoundedProtocol
from oidc_server.serving.metrics_listener import shown_metrics
from oidc_server.serving.one_processor import OneProcessor
from oidc_server.serving.open_files import raise_limit, shortage
from oidc_server.serving.workers import Workers
from oidc_server.settings import DEFAULT_PORT, Settings, SettingsError, load
from oidc_server.settings.values import is_loopback_host
from oidc_server.web.lifecycle import Lifecycle

if TYPE_CHECKING:
    from oidc_server.app import Server

_Port = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=65535,
        help="Port to listen on.",
        show_default=f"that of OIDC_ISSUER if it is on this machine, else {DEFAULT_PORT}",
    ),
]
_BACKLOG = 2048
_EVENT_LOOP = "oidc_server.serving.event_loop:EventLoop"
"""By name: the parent of several workers has none."""
_PATIENCE = 60
"""Seconds a worker may take to begin: on a busy machine, killing it earlier only repeats it."""


@dataclass(frozen=True)
class Worker:
    """Makes the application in each worker process; it is sent there as it is."""

    settings: Settings
    dev: bool
    processes: int

    def __call__(self) -> "Server":
        # The parent of several workers, like any other command, never needs the application.
        from oidc_server.app import create_app  # noqa: PLC0415 - see above

        beginning.begin(self.settings)
        app = create_app(self.settings, utc_now, dev=self.dev, processes=self.processes)
        lifecycle: Lifecycle = app.runtime.lifecycle
        lifecycle.last(beginning.flush)
        lifecycle.drain_on_sigterm(self.settings.drain_time)
        if threads := app.runtime.lane.threads():  # one thread has nobody to share with
            OneProcessor(threads).keep()
        return app


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: _Port = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    dev: Annotated[
        bool, typer.Option("--dev", help="Add a mailbox and a sample app, for trying things.")
    ] = False,
) -> None:
    """Run the server."""
    settings = load(host=host, port=port)
    port = port or _own_port(settings, host)
    if dev and not settings.is_loopback:
        raise SettingsError(
            [f"--dev is for this machine only, and the issuer is {settings.issuer}"]
        )
    if missing := beginning.problems(settings):
        raise SettingsError(missing)
    beginning.begin_quietly(settings)
    raise_limit(settings)
    with alone(settings), _listening(host, port) as listeners:
        link = _prepare(settings)
        if dev and settings.api_docs and settings.api_docs_client_id is None:
            settings = _with_documentation_client(settings)
        _tell_where(settings, host, link)
        if workers > 1 and settings.rate_limits and settings.redis_url is None:
            typer.echo(
                "Each worker counts limits for itself; to count together, set OIDC_REDIS_URL"
            )
        if (too_few_files := shortage(settings)) is not None:
            typer.echo(too_few_files)
        if dev:
            typer.echo(f"Try it with the sample app: {settings.issuer}/dev/app")
            if settings.api_docs:
                typer.echo(f"Try the API: {settings.issuer}/docs")
        with shown_metrics(settings, workers):
            _run(Worker(settings, dev, workers), listeners, workers)


def _tell_where(settings: Settings, host: str, set_up_link: str | None) -> None:
    """Where it is, and where commands think that it is, which know nothing of --port."""
    typer.echo(f"{settings.brand_name} is at {settings.issuer}")
    if (elsewhere := load(host=host).issuer) != settings.issuer:
        typer.echo(
            f"Commands take it to be at {elsewhere}; write OIDC_ISSUER={settings.issuer}"
            " into .env, and leave --port out"
        )
    if set_up_link is not None:
        typer.echo(f"Set it up, once: {set_up_link}")


def _own_port(settings: Settings, host: str) -> int:
    """The port of an issuer that is this very process: on this machine, with nothing before it."""
    issuer = urlsplit(settings.issuer)
    alone_there = issuer.scheme == "http" and settings.is_loopback and is_loopback_host(host)
    return (issuer.port if alone_there else None) or DEFAULT_PORT


def _prepare(settings: Settings) -> str | None:
    """Migrate before any worker; returns the set-up link while there is no administrator."""
    # In a process of its own: what migrating loads would stay in memory for good.
    migration = get_context("fork").Process(target=_migrate, args=(settings,))
    migration.start()
    migration.join()
    if migration.exitcode:
        raise typer.Exit(1)
    now = utc_now()
    with database_of(settings) as database, database.transaction("write") as db:
        link_id = links.open_setup(db, now)
        if link_id is not None:
            audit.record(db, Event.SETUP_LINK_SHOWN, origin=COMMAND_LINE, now=now)
    return None if link_id is None else setup_url(settings, link_id)


def _with_documentation_client(settings: Settings) -> Settings:
    """The settings with a client for /docs: nobody has to register one to try the API."""
    from oidc_server.dev import documentation_client  # noqa: PLC0415 - as above
    from oidc_server.routes import ROUTES  # noqa: PLC0415 - as above

    redirect_uri = settings.issuer + next(
        route.path for route in ROUTES if route.name == "api_docs.signed_in"
    )
    with database_of(settings) as database, database.transaction("write") as db:
        client_id = documentation_client.register(db, settings, redirect_uri, utc_now())
    return settings.model_copy(update={"api_docs_client_id": client_id})


def _migrate(settings: Settings) -> None:
    with telling_in_words(), database_of(settings) as database:
        schema.upgrade(database, Vault(settings.secret_keys), utc_now())


def _run(worker: Worker, listeners: list[socket.socket], workers: int) -> None:
    config = uvicorn.Config(
        worker,
        factory=True,
        workers=workers,
        loop=_EVENT_LOOP,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(worker.settings.keep_alive_timeout.total_seconds()),
        timeout_graceful_shutdown=int(worker.settings.shutdown_grace.total_seconds()),
        timeout_worker_healthcheck=_PATIENCE,
    )
    server = uvicorn.Server(config)
    if workers == 1:
        # uvicorn, when it has ended in good order, raises once more the signal that it was sent.
        for asked_to_end in (signal.SIGTERM, signal.SIGINT):
            signal.signal(asked_to_end, lambda _signal, _frame: sys.exit(0))
        server.run(sockets=listeners)
        if not server.started:
            raise typer.Exit(3)
        return
    beginning.begin(worker.settings)
    Workers(config, listeners, worker.settings.drain_time.total_seconds()).run()


@contextmanager
def _listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """What the workers listen on: one socket, so that nobody waits for a certain one of them."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # Python goes on, in brackets, with the address.
        reason = str(error.strerror or error).partition(" (")[0]
        raise TakenError(
            f"{host}:{port} cannot be listened on ({reason}); choose another port: in OIDC_ISSUER"
            " if that is on this machine, else with --port."
        ) from None
    with listener:
        listener.set_inheritable(True)
        yield [listener]
