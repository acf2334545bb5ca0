"""Run all measurements and print them. Bounded: well under a minute and a half."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.client import PASSWORD, Client
from benchmarks.floors import floors
from benchmarks.server import Started, started

_STARTS = 3
_SECONDS_PER_OPERATION = 2.0
_GOAL_START = 2.0
_GOAL_MEMORY = 110.0


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _report_start(folder)
        with started(folder) as server:
            server.command(
                *("users", "add", "--username", "bench", "--email", "bench@example.com"),
                *("--verified", "--password-stdin"),
                send=PASSWORD,
            )
            client = Client(server)
            _report_memory(server, client)
            _report_operations(server, client)
        print("\nFloors of this machine (CPU)")
        for what, milliseconds in floors(folder).items():
            print(f"  {what:<34} {milliseconds:8.3f} ms")


def _report_start(folder: Path) -> None:
    seconds = []
    for _ in range(_STARTS):
        with started(folder) as server:
            seconds.append(server.seconds_to_first_answer)
    first, later = seconds[0], statistics.median(seconds[1:])
    print("From `serve --dev` to the first answered request")
    print(f"  on an empty data folder            {first:8.2f} s   (goal: at most {_GOAL_START} s)")
    print(f"  later starts, median               {later:8.2f} s   (goal: at most {_GOAL_START} s)")


def _report_memory(server: Started, client: Client) -> None:
    for _ in range(100):
        client.sign_in()
    print("\nResident memory of one process after 100 sign-ins")
    print(f"  {server.resident_mib():42.1f} MiB (goal: at most {_GOAL_MEMORY:.0f} MiB)")


def _report_operations(server: Started, client: Client) -> None:
    tokens = client.sign_in()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    held = {"refresh_token": tokens["refresh_token"]}

    def refresh() -> None:
        answer = client.token(grant_type="refresh_token", refresh_token=held["refresh_token"])
        held["refresh_token"] = answer["refresh_token"]

    operations: dict[str, Callable[[], object]] = {
        "discovery": lambda: client.http.get("/.well-known/openid-configuration"),
        "JWKS": lambda: client.http.get("/jwks.json"),
        "client credentials": lambda: client.token(grant_type="client_credentials"),
        "sign-in (authorize and token)": client.sign_in,
        "refresh": refresh,
        "userinfo": lambda: client.browser.get("/userinfo", headers=bearer),
        "introspection": lambda: client.http.post(
            "/introspect", data={"token": tokens["access_token"]}
        ),
    }
    print("\nOne worker on SQLite, one client, ES256: CPU of the server, and how many in a second")
    for name, operation in operations.items():
        count, wall, cpu = _measure(server, operation)
        print(f"  {name:<34} {cpu / count * 1000:8.3f} ms {count / wall:8.0f} /s")


def _measure(server: Started, operation: Callable[[], object]) -> tuple[int, float, float]:
    operation()
    cpu, began, count = server.cpu_seconds(), time.monotonic(), 0
    while time.monotonic() - began < _SECONDS_PER_OPERATION:
        operation()
        count += 1
    return count, time.monotonic() - began, server.cpu_seconds() - cpu


if __name__ == "__main__":
    main()
