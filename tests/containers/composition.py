"""docker-compose.yml, as it is read."""

import re
from typing import Any

import yaml

from tests.project.repository import read

NODES = ("node-1", "node-2")
OURS = ("migrate", *NODES)


def composition() -> dict[str, Any]:
    """All of it, with what its anchors stand for."""
    found: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return found


def address_of(service: dict[str, Any]) -> str:
    """Where a service is on the network that it shares with the gateway."""
    address: str = service["networks"]["front"]["ipv4_address"]
    return address


def nginx_values(directive: str) -> list[str]:
    """What a directive says in the configuration of the gateway, each time that it stands there."""
    return re.findall(rf"^\s*{directive}\s+(.*);", read("containers/nginx.conf"), re.MULTILINE)
