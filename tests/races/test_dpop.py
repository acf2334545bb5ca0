"""One DPoP proof, many uses at the same moment, two workers (RFC 9449 §11.1)."""

import pytest

from tests.dpop import Proofs, ProvingParty, proofs_by_real_time
from tests.races.simultaneous import at_once, token_request
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 50


def signed_in(deployment: Deployment) -> tuple[ProvingParty, Proofs, str]:
    """A client that proves its key, its proofs, and an access token."""
    proofs = proofs_by_real_time(deployment.issuer)
    party = ProvingParty(deployment, deployment.make_client(), proofs)
    code = party.authorize(deployment.browser(), deployment.make_user()).code
    return party, proofs, party.redeem(code).json()["access_token"]


def test_of_fifty_uses_of_one_proof_at_a_resource_exactly_one_succeeds(
    deployment: Deployment,
) -> None:
    _, proofs, token = signed_in(deployment)
    headers = {
        "authorization": f"DPoP {token}",
        "dpop": proofs.make("GET", "/userinfo", token),
    }
    request = deployment.http.build_request("GET", "/userinfo", headers=headers)

    answers = at_once(deployment, [request] * AT_ONCE)

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (AT_ONCE - 1)
    refusals = [answer.json()["error"] for answer in answers if answer.status_code == 401]
    assert set(refusals) == {"invalid_dpop_proof"}


def test_of_fifty_token_requests_with_one_proof_exactly_one_succeeds(
    deployment: Deployment,
) -> None:
    proofs = proofs_by_real_time(deployment.issuer)
    app = deployment.make_client(
        "web", "--grant-type", "client_credentials", "--scope", "users:read"
    )
    request = token_request(deployment, app, grant_type="client_credentials")
    request.headers["dpop"] = proofs.make()

    answers = at_once(deployment, [request] * AT_ONCE)

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (AT_ONCE - 1)
    refusals = [answer.json()["error"] for answer in answers if answer.status_code == 400]
    assert set(refusals) == {"invalid_dpop_proof"}
