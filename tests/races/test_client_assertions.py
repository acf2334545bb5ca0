"""One assertion, many requests at the same moment, two workers (RFC 7523 §3, 7)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oidc_server.security.jose import SigningKey
from tests.client_assertions import assertion_fields, claims_for, key_set, sign
from tests.races.simultaneous import at_once
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 50


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
def test_of_fifty_simultaneous_uses_of_one_assertion_exactly_one_succeeds(
    deployment: Deployment, method: str, tmp_path: Path
) -> None:
    key, jwks = SigningKey.generate("ES256"), tmp_path / "jwks.json"
    jwks.write_text(json.dumps(key_set(key)))
    keys = ("--jwks", str(jwks)) if method == "private_key_jwt" else ()
    app = deployment.make_client("service", "--auth-method", method, "--scope", "users:read", *keys)
    claims = claims_for(app.client_id, f"{deployment.issuer}/token", datetime.now(UTC))
    assertion = sign(app.client_secret or key, claims)
    request = deployment.http.build_request(
        "POST", "/token", data=assertion_fields(assertion, grant_type="client_credentials")
    )

    answers = at_once(deployment, [request] * AT_ONCE)

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (AT_ONCE - 1)
    refusals = [answer.json() for answer in answers if answer.status_code == 401]
    assert {refusal["error"] for refusal in refusals} == {"invalid_client"}
