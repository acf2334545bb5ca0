"""Two nodes with the settings of docker-compose.yml, behind nginx with its configuration.

There are no containers: only names and addresses of other services are replaced.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

import httpx2
import pytest

from tests.containers.composition import NODES, composition
from tests.project.repository import ROOT
from tests.services.command_line import CommandLine
from tests.services.deployment import settings_for
from tests.services.external_service import external_service, saying
from tests.services.nginx import Nginx, Start
from tests.services.ports import free_port
from tests.services.postgres import PostgresServer
from tests.services.ready_databases import SECRET_KEY, ReadyDatabases
from tests.services.redis import RedisServer
from tests.services.server import RunningServer, running_server

pytestmark = pytest.mark.slow
CONFIGURATION = ROOT / "containers"
CLIENT = "127.0.0.79"


@dataclass(frozen=True)
class Composition:
    """What runs."""

    nginx: Nginx
    nodes: list[RunningServer]
    command_line: CommandLine
    redis: RedisServer

    @property
    def issuer(self) -> str:
        return self.command_line.settings["OIDC_ISSUER"]

    def client(self) -> httpx2.Client:
        """At an address of its own, which a proxy in between would hide."""
        transport = httpx2.HTTPTransport(local_address=CLIENT)
        return httpx2.Client(transport=transport, base_url=self.issuer, timeout=30)


def words(port: int, nodes: list[str]) -> dict[str, str]:
    """What has to be another one here in the configuration of nginx."""
    first, second = (url.removeprefix("http://") for url in nodes)
    return {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "node-1:8000": first,
        "node-2:8000": second,
        "/dev/stdout": "written/access.log",
        "/var/cache/nginx/": "written/",
    }


@pytest.fixture
def running(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    ready_databases: ReadyDatabases,
    postgres: PostgresServer,
    redis: RedisServer,
    nginx: Start,
) -> Iterator[Composition]:
    folder = tmp_path_factory.mktemp("nodes")
    port = free_port()
    issuer = f"http://localhost:{port}"
    with ExitStack() as stack:
        url = stack.enter_context(ready_databases.copy(request, "postgresql", folder))
        (folder / "database_url").write_text(url + "\n")
        (folder / "secret_key").write_text(SECRET_KEY)
        cheap = settings_for(url, folder)
        stated = composition()["services"]["node-1"]["environment"] | {
            "OIDC_ISSUER": issuer,
            "OIDC_TRUSTED_PROXIES": "127.0.0.1/32",
            "OIDC_REDIS_URL": redis.url,
            "OIDC_DATA_DIR": str(folder / "data"),
        }
        settings = {
            **{name: value for name, value in cheap.items() if "ARGON2" in name},
            **{name: value.replace("/run/secrets", str(folder)) for name, value in stated.items()},
        }
        nodes = [stack.enter_context(running_server(folder, settings)) for _ in NODES]
        replaced = words(port, [node.base_url for node in nodes])
        gateway = stack.enter_context(nginx(CONFIGURATION, port, replaced))
        yield Composition(gateway, nodes, CommandLine(folder, settings), redis)


def test_two_nodes_behind_nginx_are_one_server(running: Composition) -> None:
    made = running.command_line.answer("clients", "add", "--name", "Till", "--type", "service")
    secret = (made["client_id"], made["client_secret"])
    grant = {"grant_type": "client_credentials"}
    forged = {
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-host": "evil.example",
        "x-request-id": "x",
    }

    with running.client() as client:
        metadata = client.get("/.well-known/openid-configuration").json()
        tokens = [client.post("/token", auth=secret, data=grant) for _ in range(4)]
        refused = client.post("/token", auth=("nobody", "x"), data=grant, headers=forged)
        hidden = [client.get(path) for path in ("/health/ready", "/metrics", "/forward-auth")]
        too_large = client.post("/login", content=b"a" * 70_000)

        assert metadata["issuer"] == running.issuer
        assert {answer.status_code for answer in tokens} == {200}
        asked = running.nginx.access_log
        assert all(node.base_url.removeprefix("http://") in asked for node in running.nodes)
        assert refused.status_code == 401
        assert {answer.status_code for answer in hidden} == {404}
        assert too_large.status_code == 413
        events = running.command_line.answer("audit", "list")
        [event] = [one for one in events if one["event"] == "client.authentication_failed"]
        assert event["address"] == CLIENT
        assert event["request_id"] == refused.headers["x-request-id"] != "x"
        assert f" {event['request_id']}\n" in asked
        assert any(CLIENT in name for name in running.redis.names())  # counted together

        running.nodes[1].stop()
        after = [client.post("/token", auth=secret, data=grant) for _ in range(6)]
        assert {answer.status_code for answer in after} == {200}


def test_while_no_node_is_there_nginx_starts_and_says_when_to_come_back(nginx: Start) -> None:
    port, nobody = free_port(), f"127.0.0.1:{free_port()}"

    with nginx(CONFIGURATION, port, words(port, [nobody, nobody])):
        answer = httpx2.get(f"http://localhost:{port}/login")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "not available just now" in answer.text


def test_a_node_that_refuses_what_it_cannot_do_now_goes_on_with_everything_else(
    nginx: Start,
) -> None:
    refusing, answering = saying(b"{}", status=503, retry_after="5"), saying(b"{}")

    def node(handler: BaseHTTPRequestHandler) -> None:
        (refusing if handler.path == "/busy" else answering)(handler)

    port = free_port()
    with external_service(node) as first, external_service(node) as second:
        places = [f"127.0.0.1:{one.port}" for one in (first, second)]
        with (
            nginx(CONFIGURATION, port, words(port, places)),
            httpx2.Client(base_url=f"http://localhost:{port}") as client,
        ):
            refused = [client.get("/busy") for _ in range(20)]
            others = [client.get("/login") for _ in range(4)]

    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["retry-after"] for answer in refused} == {"5"}
    assert {answer.status_code for answer in others} == {200}
