"""Two servers on one PostgreSQL make room for a newer version, while people sign in."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from oidc_server import resources, schema
from oidc_server.database import Database
from tests.browser import Browser
from tests.factories import App, Person
from tests.relying_party import RelyingParty
from tests.services.deployment import Deployment, deployed
from tests.services.ports import free_port
from tests.services.ready_databases import ReadyDatabases

pytestmark = [pytest.mark.race, pytest.mark.slow, pytest.mark.postgres]
DRAIN_SECONDS = 1
PATIENCE = 120.0
PEOPLE = 3
ROOT = Path(__file__).parents[2]
NEWER = "9001"
MIGRATION = f'''
import sqlalchemy as sa
from alembic import op

revision = "{NEWER}"
down_revision = "{resources.newest_migration()}"
only_adds = True


def upgrade():
    op.add_column("users", sa.Column("colour", sa.Text(), server_default="red"))
    op.create_index("ix_users_colour", "users", ["colour"])
'''


@dataclass
class Node:
    """A server as the balancer sees it."""

    deployment: Deployment
    is_ready: bool = True
    last_answers: int = 0
    """Answers after which it closed the connection, the balancer's own questions among them."""

    def note(self, answer: httpx2.Response) -> None:
        self.last_answers += answer.headers.get("connection") == "close"


class Balancer(httpx2.BaseTransport):
    """Hands requests to nodes in turn, and asks ten times a second which of them are ready.

    It repeats no request, and keeps connections until it is told that one ends.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.over = threading.Event()
        self._inner = httpx2.HTTPTransport()
        self._turn = 0

    def watch(self) -> None:
        with httpx2.Client(timeout=5) as client:
            while not self.over.wait(0.1):
                for node in list(self.nodes):
                    try:
                        asked = client.get(f"{node.deployment.issuer}/health/ready")
                        node.is_ready = asked.is_success
                        node.note(asked)
                    except httpx2.TransportError:
                        node.is_ready = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        ready = [node for node in self.nodes if node.is_ready]
        self._turn += 1
        node = ready[self._turn % len(ready)]
        request.url = request.url.copy_with(port=httpx2.URL(node.deployment.issuer).port)
        answer = self._inner.handle_request(request)
        node.note(answer)
        return answer

    def close(self) -> None:
        """Called by each client that is done, while others go on."""

    def close_connections(self) -> None:
        self._inner.close()


@dataclass
class Visitor(threading.Thread):
    """Somebody who signs in again and again, each time from a new browser, and what went wrong."""

    balancer: Balancer
    issuer: str
    app: App
    person: Person
    failed: list[str] = field(default_factory=list)
    sign_ins: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    @property
    def http(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.issuer, transport=self.balancer, timeout=30)

    def run(self) -> None:
        while not self.balancer.over.is_set():
            try:
                self.sign_in()
            except (AssertionError, httpx2.TransportError, ArithmeticError) as error:
                self.failed.append(repr(error)[:2000])

    def sign_in(self) -> None:
        party = RelyingParty(self, self.app)
        answer = party.authorize(Browser(self.http, self.issuer), self.person)
        tokens = party.redeem(answer.code)
        assert tokens.status_code == 200, tokens.text
        claims = party.userinfo(tokens.json()["access_token"])
        assert claims.json()["sub"], claims.text
        self.sign_ins += 1

    __hash__ = threading.Thread.__hash__


def test_no_sign_in_is_lost_while_two_nodes_are_replaced_by_a_newer_version_with_a_migration(
    request: pytest.FixtureRequest, ready_databases: ReadyDatabases, tmp_path: Path
) -> None:
    issuer = f"http://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        url = stack.enter_context(ready_databases.copy(request, "postgresql", tmp_path))
        newer = newer_program(tmp_path / "newer")
        starts = [
            deployed_node(tmp_path, url, issuer, name, version_in)
            for name, version_in in {"a": None, "b": None, "c": newer, "d": newer}.items()
        ]
        balancer = Balancer()
        balancer.nodes = [Node(stack.enter_context(starts.pop(0))) for _ in range(2)]
        first = balancer.nodes[0].deployment
        app = first.make_client()
        visitors = [Visitor(balancer, issuer, app, first.make_user()) for _ in range(PEOPLE)]

        ended, newest = [], []
        with watched(balancer, visitors):
            for old in list(balancer.nodes):
                wait_for_sign_ins(visitors)
                balancer.nodes.append(Node(stack.enter_context(starts.pop(0))))
                wait_for_sign_ins(visitors)
                newest.append(migration_of(url))
                first.make_user()  # by a command of the version of before
                ended.append(stopped(old))
                balancer.nodes.remove(old)
            wait_for_sign_ins(visitors)

        assert [failure for visitor in visitors for failure in visitor.failed] == []
        assert newest == [NEWER, NEWER]
        for status, seconds, last_answers in ended:
            assert status == 0
            assert seconds >= DRAIN_SECONDS
            assert last_answers > 0
        assert [node.last_answers for node in balancer.nodes] == [0, 0]


@contextmanager
def deployed_node(
    folder: Path, url: str, issuer: str, name: str, version_in: Path | None
) -> Iterator[Deployment]:
    (place := folder / name).mkdir()
    drain_time = f"{DRAIN_SECONDS}s"
    with deployed(
        place, url, workers=1, version_in=version_in, issuer=issuer, drain_time=drain_time
    ) as node:
        yield node


def newer_program(folder: Path) -> Path:
    """A whole copy of the program, with one migration more."""
    for part in ("oidc_server", "templates", "static", "migrations"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "migrations" / "versions" / f"{NEWER}_know_colours.py").write_text(MIGRATION)
    return folder


def migration_of(url: str) -> str | None:
    database = Database(url)
    with database.connection() as connection, connection.begin():
        found = schema.version(connection)
    database.close()
    return found


@contextmanager
def watched(balancer: Balancer, visitors: list[Visitor]) -> Iterator[None]:
    """While the balancer watches its nodes, and people sign in."""
    watching = threading.Thread(target=balancer.watch, daemon=True)
    for thread in (watching, *visitors):
        thread.start()
    try:
        yield
    finally:
        balancer.over.set()
        for thread in (watching, *visitors):
            thread.join(PATIENCE)
        balancer.close_connections()


def stopped(node: Node) -> tuple[int, float, int]:
    """End a node; its exit status, how long that took, and what it said `close` to meanwhile."""
    before, began = node.last_answers, time.monotonic()
    status = node.deployment.server.stop()
    return status, time.monotonic() - began, node.last_answers - before


def wait_for_sign_ins(visitors: list[Visitor]) -> None:
    """Return when everybody has signed in at least once from now on."""
    goal = [visitor.sign_ins + 2 for visitor in visitors]
    deadline = time.monotonic() + PATIENCE
    while any(one.sign_ins < least for one, least in zip(visitors, goal, strict=True)):
        assert time.monotonic() < deadline, [visitor.failed for visitor in visitors]
        time.sleep(0.05)
