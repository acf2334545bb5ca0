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


def test_an_address_that_a_client_can_choose_and_another_issuer_are_failures(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(workers=1, trusted_proxies="127.0.0.1")

    chosen = findings(deployment)["addresses"]
    elsewhere = replace(
        deployment,
        command_line=replace(
            deployment.command_line,
            settings={**deployment.command_line.settings, "OIDC_ISSUER": "https://id.example.com"},
        ),
    )
    seen = findings(elsewhere, "--url", deployment.issuer)["issuer seen"]

    assert chosen[0] == "fail"
    assert chosen[1].startswith("A client can choose its address; have the proxy set")
    assert seen[0] == "fail"
    assert deployment.issuer in seen[1]
