"""The gateway of the examples: nginx before two nodes on PostgreSQL and two small services."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.examples.running import PASSWORD, ROOT, Place, running_program
from tests.services.deployment import settings_for
from tests.services.nginx import Nginx, Start
from tests.services.ports import free_port
from tests.services.postgres import PostgresServer
from tests.services.ready_databases import ReadyDatabases
from tests.services.server import RunningServer, running_server

pytestmark = pytest.mark.slow
AWAY = "This is not available just now. Try again in a moment."
EXAMPLE = ROOT / "examples" / "gateway"
FORGED = {
    "X-Auth-User": "somebody",
    "x-auth-username": "somebody",
    "X_Auth_Roles": "admin",
    "X-Auth-Roles": "admin",
    "X-Auth-Scopes": "everything",
    "X-Auth-Client": "somebody",
}


@dataclass(frozen=True)
class Gateway:
    """All of it. `place` has the command line."""

    nginx: Nginx
    nodes: list[RunningServer]
    place: Place

    @property
    def url(self) -> str:
        return self.place.issuer

    def service_token(self, scope: str, resource: str | None = None) -> str:
        made = self.place.command(
            *("clients", "add", "--name", "Till", "--type", "service", "--scope", scope)
        )
        answer = httpx2.post(
            f"{self.url}/token",
            auth=(made["client_id"], made["client_secret"]),
            data={
                "grant_type": "client_credentials",
                "scope": scope,
                "resource": resource or f"{self.url}/stock",
            },
        )
        token: str = answer.json()["access_token"]
        return token


@pytest.fixture(scope="module")
def gateway(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    ready_databases: ReadyDatabases,
    postgres: PostgresServer,
    nginx: Start,
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    port, reports, stock = (str(free_port()) for _ in range(3))
    issuer = f"http://localhost:{port}"
    with ExitStack() as stack:
        url = stack.enter_context(ready_databases.copy(request, "postgresql", folder))
        limits = {"rate_limits": "on", "rate_limit_pages": "10000", "rate_limit_failures": "4"}
        settings = settings_for(
            url, folder, issuer=issuer, trusted_proxies="127.0.0.1/32", **limits
        )
        nodes = [stack.enter_context(running_server(folder, settings)) for _ in range(2)]
        services = {"REPORTS_PORT": reports, "STOCK_PORT": stock}
        stack.enter_context(
            running_program(
                [sys.executable, str(EXAMPLE / "services.py")],
                folder,
                services,
                f"http://127.0.0.1:{stock}/",
            )
        )
        words = {
            ":8080": f":{port}",
            "127.0.0.1:8001": nodes[0].base_url.removeprefix("http://"),
            "127.0.0.1:8002": nodes[1].base_url.removeprefix("http://"),
            ":9101": f":{reports}",
            ":9102": f":{stock}",
        }
        place = Place(nodes[0], folder, settings)
        resource = ("--name", "Stock", "--scope", "stock:read stock:write")
        place.command("resources", "add", f"{issuer}/stock", *resource)
        running = stack.enter_context(nginx(EXAMPLE, int(port), words))
        yield Gateway(running, nodes, place)


def test_a_program_passes_with_the_right_token_and_nobody_else(gateway: Gateway) -> None:
    address = f"{gateway.url}/stock/apples"
    good = {"authorization": f"Bearer {gateway.service_token('stock:read')}"}
    narrow = {"authorization": f"Bearer {gateway.service_token('stock:write')}"}

    passed = httpx2.get(address, headers={**good, **FORGED})
    nobody = httpx2.get(address, headers=FORGED)
    wrong = httpx2.get(address, headers={"authorization": "Bearer nonsense"})
    refused = httpx2.get(address, headers=narrow)

    assert passed.json()["apples"] == 7
    assert passed.json()["caller"].keys() == {"Client", "Scopes"}
    assert passed.json()["caller"]["Client"] != "somebody"
    assert passed.json()["caller"]["Scopes"] == "stock:read"
    for answer, status in ((nobody, 401), (wrong, 401), (refused, 403)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
    assert nobody.headers["www-authenticate"].startswith("Bearer ")
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]


def test_what_is_not_for_outside_is_not_there(gateway: Gateway) -> None:
    for path in (
        "/health",
        "/health/ready",
        "/metrics",
        "/forward-auth",
        "/forward-auth/request/x",
        "/internal/session",
        "/internal/stock",
        "/errors/page.html",
    ):
        answer = httpx2.get(gateway.url + path, headers={"x-forward-auth": "accept=session"})

        assert answer.status_code == 404, path
        assert "There is nothing here." in answer.text
        assert "To your account" in answer.text
        assert "Try again" not in answer.text


def test_a_stranger_is_sent_to_the_sign_in_and_a_script_is_not(gateway: Gateway) -> None:
    page = httpx2.get(f"{gateway.url}/reports/7", headers={"accept": "text/html", **FORGED})
    script = httpx2.get(f"{gateway.url}/reports/7", headers=FORGED)

    assert page.status_code == 303
    assert page.headers["location"].startswith("/login?return_to=")
    assert script.status_code == 401
    assert "Sign in first." in script.text


def test_while_a_node_cannot_say_who_it_is_nobody_passes(gateway: Gateway, nginx: Start) -> None:
    """A second gateway, which finds nobody at the addresses of the nodes."""
    port, nobody = free_port(), f"127.0.0.1:{free_port()}"
    words = {
        ":8080": f":{port}",
        "127.0.0.1:8001": nobody,
        "127.0.0.1:8002": nobody,
    }
    with nginx(EXAMPLE, port, words):
        page = httpx2.get(f"http://localhost:{port}/reports/", headers=FORGED)
        api = httpx2.get(f"http://localhost:{port}/stock/", headers=FORGED)
        login = httpx2.get(f"http://localhost:{port}/login")
        ours = httpx2.get(f"http://localhost:{port}/api/v1/me")
        oauth = [
            httpx2.post(f"http://localhost:{port}/token", data={"grant_type": "hidden"}),
            httpx2.get(f"http://localhost:{port}/userinfo"),
            httpx2.get(f"http://localhost:{port}/.well-known/openid-configuration"),
        ]

    for answer in (page, api, login, ours, *oauth):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2"), answer.url
        assert answer.headers["cache-control"] == "no-store"
    for answer in oauth:
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"] == "temporarily_unavailable"
    assert ours.headers["content-type"] == "application/problem+json"
    assert ours.json()["status"] == 503
    assert "not available just now" in page.text
    assert api.json()["status"] == 503
    assert "not available just now" in login.text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_while_no_node_answers_a_person_sees_a_card_that_leads_to_the_same_address(
    nginx: Start, page: Page, scheme: Literal["light", "dark"]
) -> None:
    port, nobody = free_port(), f"127.0.0.1:{free_port()}"
    changes = {":8080": f":{port}", "127.0.0.1:8001": nobody, "127.0.0.1:8002": nobody}
    address = f"http://localhost:{port}//elsewhere.example/login?return_to=%2Faccount"
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text))
    page.emulate_media(color_scheme=scheme)
    with nginx(EXAMPLE, port, changes):
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            page.goto(address)

            card = page.locator("main").bounding_box()
            assert card is not None
            assert abs(2 * card["x"] + card["width"] - width) <= 1
            assert card["x"] >= 16
            assert card["width"] <= 420
            expect(page.get_by_role("link")).to_have_count(1)
            words = " ".join(page.locator("main").inner_text().split())
            assert words == f"{AWAY} Try again Error 503"
            with page.expect_navigation() as again:
                page.get_by_role("link", name="Try again").click()
            assert again.value.status == 503
            expect(page).to_have_url(address)

    assert not [told for told in complaints if "Content Security Policy" in told]


def test_what_is_too_large_is_refused_by_the_gateway(gateway: Gateway) -> None:
    answer = httpx2.post(f"{gateway.url}/login", content=b"a" * 70_000)

    assert answer.status_code == 413
    assert "That is too large." in answer.text


def test_too_many_forms_are_refused_by_the_gateway(gateway: Gateway) -> None:
    """At an address of ours of which nothing else here is: limits count by address."""
    own_address = httpx2.HTTPTransport(local_address="127.0.0.77")
    with httpx2.Client(transport=own_address, base_url=gateway.url) as client:
        answers = [client.post("/login", data={"a": "b"}) for _ in range(40)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {403, 429}
    assert refused[0].headers["retry-after"] == "1"
    assert "That was too often." in refused[0].text


def test_guesses_at_tokens_are_told_to_wait(gateway: Gateway) -> None:
    """Counted by the nodes, each for itself, at the address that the gateway told them."""
    own_address = httpx2.HTTPTransport(local_address="127.0.0.78")
    guess = {"authorization": "Bearer nonsense", "x-forwarded-for": "192.0.2.1"}
    with httpx2.Client(transport=own_address, base_url=gateway.url) as client:
        answers = [client.get("/stock/", headers=guess) for _ in range(12)]

    assert [answer.status_code for answer in answers[:4]] == [401] * 4
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 1
    assert answers[-1].json()["status"] == 429


def test_people_sign_in_and_go_on_while_a_node_dies(gateway: Gateway, page: Page) -> None:
    gateway.place.add_user("ada")
    page.set_extra_http_headers({"X-Auth-Roles": "admin", "X-Auth-Username": "mallory"})

    page.goto(f"{gateway.url}/reports/7?sort=name")
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    if "/passkey-offer" in page.url:
        page.get_by_role("button", name="Not now").click()
    expect(page.locator("#person")).to_have_text("ada")
    expect(page.locator("#path")).to_have_text("/reports/7?sort=name")
    expect(page.locator("#roles")).to_have_text("user")

    for _ in range(4):
        page.goto(f"{gateway.url}/account")
    page.goto(f"{gateway.url}/reports/7?sort=name")
    asked = gateway.nginx.access_log
    assert all(node.base_url.removeprefix("http://") in asked for node in gateway.nodes)
    gateway.nodes[1].kill()
    for _ in range(4):
        page.reload()
        expect(page.locator("#person")).to_have_text("ada")
    page.click("#order")
    expect(page.locator("#done")).to_have_text("Ordered.")
    page.click("#account")
    expect(page).to_have_url(f"{gateway.url}/account")
    _sign_out(page)

    page.goto(f"{gateway.url}/reports/7")
    expect(page.locator("#username")).to_be_visible()


def _sign_out(page: Page) -> None:
    page.goto(page.url.replace("/account", "/logout"))
    page.locator("main form button").first.click()
