"""A service that moves credit on a deployment: requests to send at once, and what they left."""

from typing import Any

from httpx2 import Request

from tests.factories import Person
from tests.races.simultaneous import token_request
from tests.services.deployment import Deployment

SCOPE = "credits:read credits:use credits:add"


class Mover:
    """One service with every scope of the ledger, and a person to move credit of."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.person: Person = deployment.make_user()
        self._app = deployment.make_client("service", "--scope", SCOPE)
        self.sign_in()

    def sign_in(self) -> None:
        """Take another access token: those from before may have expired."""
        request = token_request(
            self.deployment, self._app, grant_type="client_credentials", scope=SCOPE
        )
        self.token: str = self.deployment.http.send(request).json()["access_token"]

    def request(self, action: str, key: str, **body: Any) -> Request:
        """A movement, not sent yet."""
        return self.deployment.http.build_request(
            "POST",
            f"/api/v1/credits/{action}",
            json={"user_id": self.person.id, **body},
            headers={"authorization": f"Bearer {self.token}", "idempotency-key": key},
        )

    def move(self, action: str, key: str, **body: Any) -> dict[str, Any]:
        answer = self.deployment.http.send(self.request(action, key, **body))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def balance(self) -> str:
        told: str = self._read("balance")["balance"]
        return told

    def transactions(self) -> list[dict[str, Any]]:
        """All of them, newest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self._read("transactions", limit="200", **({"cursor": cursor} if cursor else {}))
            found += page["transactions"]
            cursor = page["next_cursor"]
            if cursor is None:
                assert len(found) == page["total_count"]
                return found

    def _read(self, what: str, **query: str) -> dict[str, Any]:
        answer = self.deployment.http.get(
            f"/api/v1/credits/{what}",
            params={"user_id": self.person.id, **query},
            headers={"authorization": f"Bearer {self.token}"},
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def reconcile(self) -> list[Any]:
        """What the command finds; it fails if it finds anything."""
        found: list[Any] = self.deployment.command_line.answer("credits", "reconcile")
        return found
