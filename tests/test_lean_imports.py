"""What is loaded by every process, whether anybody uses it or not."""

import json
import subprocess
import sys

from oidc_server.lean_imports import without

_LOOK = """
import json, sys
import oidc_server.app
unused = ("redis", "rich", "greenlet", "httpx2", "alembic")
print(json.dumps([name for name in unused if name in sys.modules]))
"""


def test_a_server_loads_nothing_for_what_it_does_not_do() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True, timeout=60
    )

    assert json.loads(done.stdout) == []


def test_what_was_loaded_before_stays() -> None:
    before = sys.modules["json"]

    with without("json"):
        import json as inside  # noqa: PLC0415 - the subject

    assert inside is before is sys.modules["json"]
