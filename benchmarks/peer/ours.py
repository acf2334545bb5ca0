"""This server, as an operator starts it, with people and clients in its database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from benchmarks import process, stage
from benchmarks.peer.sides import PEOPLE, Side
from benchmarks.trees import Tree
from oidc_server.clock import utc_now
from oidc_server.database import Database
from oidc_server.oauth2.vocabulary import API_SCOPES
from oidc_server.settings import Settings, load
from tests.browser import Browser
from tests.factories import App, Person

_SETTINGS = {
    "OIDC_SECRET_KEY": "a secret of the benchmarks that is long enough",
    "OIDC_RATE_LIMITS": "off",
    "OIDC_REGISTRATION": "open",
    "OIDC_ACCESS_TOKEN_LIFETIME": "1h",
}


@contextmanager
def running(
    name: str,
    folder: Path,
    workers: int,
    database_url: str | None,
    database: Tree | None,
    program: Sequence[str] = (process.PROGRAM,),
    people: int = PEOPLE,
) -> Iterator[Side]:
    """Start it with so many processes; without a URL it works on SQLite in `folder`."""
    folder.mkdir()
    settings = {**_SETTINGS, **({"OIDC_DATABASE_URL": database_url} if database_url else {})}
    options = ("--workers", str(workers))
    with process.running(folder, *options, settings=settings, program=program) as server:
        apps, cast = _cast(folder, settings, people)

        def sign_in(http: httpx2.Client, path: str, number: int) -> str:
            browser = Browser(http, server.issuer)
            answer = browser.log_in(browser.go(path), cast[number % len(cast)])
            return str(answer.headers["location"])

        yield Side(name, server.port, Tree(server.pid), apps, sign_in, database, cast)


def _cast(
    folder: Path, settings: Mapping[str, str], count: int
) -> tuple[dict[str, App], list[Person]]:
    loaded: Settings = load({**settings, "OIDC_DATA_DIR": str(folder / "data")}, None)
    database, now = Database(loaded.database_url), utc_now()
    try:
        people = stage.set_up(loaded, database, now, count).people
        with database.transaction("write") as db:
            webs = {
                alg: stage.register(
                    db,
                    "web",
                    now,
                    redirect_uris=(stage.REDIRECT_URI,),
                    skip_consent=True,
                    id_token_signed_response_alg=alg,
                )
                for alg in ("ES256", "RS256")
            }
            password = stage.register(
                db,
                "web",
                now,
                redirect_uris=(stage.REDIRECT_URI,),
                grant_types=("password", "refresh_token"),
                id_token_signed_response_alg="ES256",
            )
            service = stage.register(
                db, "service", now, may_introspect=True, scopes=sorted(API_SCOPES)
            )
    finally:
        database.close()
    apps = {
        "web ES256": webs["ES256"],
        "web RS256": webs["RS256"],
        "web opaque": webs["ES256"],  # ours are never opaque
        "password": password,
        "service": service,
        "service opaque": service,
    }
    return apps, people
