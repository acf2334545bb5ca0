"""`oidc-server doctor` asks a server that runs, as clients do."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.services.deployment import Deployment

pytestmark = pytest.mark.slow


def findings(deployment: Deployment, *options: str) -> dict[str, tuple[str, str]]:
    """Check → result and finding."""
    rows = deployment.command_line.run("doctor", "--json", *options)
    return {row["check"]: (row["result"], row["finding"]) for row in json.loads(rows.stdout)}


def test_a_server_in_order_is_seen_as_it_says(deploy_sqlite: Callable[..., Deployment]) -> None:
    deployment = deploy_sqlite(workers=1)

    found = findings(deployment)

    assert found["reached"] == ("ok", f"It answers at {deployment.issuer}.")
    assert found["issuer seen"][0] == "ok"
    assert found["cookies"][0] == "ok"
    assert found["addresses"] == ("ok", "No client can choose its own; this one is 127.0.0.1.")


def with_settings(deployment: Deployment, **changes: str) -> Deployment:
    """Commands with other settings than those of the server."""
    line = deployment.command_line
    return replace(deployment, command_line=replace(line, settings={**line.settings, **changes}))


def test_from_the_machine_of_a_proxy_it_says_that_it_can_tell_nothing_of_addresses(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(workers=1, trusted_proxies="127.0.0.1")

    done = deployment.command_line.run("doctor", "--json")

    [told] = [row for row in json.loads(done.stdout) if row["check"] == "addresses"]
    assert (done.returncode, told["result"]) == (0, "warn")
    assert told["finding"].startswith(
        "This request seems to come from a proxy, 127.0.0.1, or from its machine: if doctor"
    )


def test_an_address_that_a_client_can_choose_and_another_issuer_are_failures(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(workers=1, trusted_proxies="127.0.0.1")

    chosen = findings(with_settings(deployment, OIDC_TRUSTED_PROXIES="10.0.0.1"))["addresses"]
    elsewhere = with_settings(deployment, OIDC_ISSUER="https://id.example.com")
    seen = findings(elsewhere, "--url", deployment.issuer)["issuer seen"]

    assert chosen[0] == "fail"
    assert chosen[1].startswith("A client can choose its address; have the proxy set")
    assert seen[0] == "fail"
    assert deployment.issuer in seen[1]
