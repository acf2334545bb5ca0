"""RFC 9449 at the API: a token bound to a key moves credit with a proof of that key, each once."""

from typing import Any

from httpx2 import Response

from tests.dpop import Proofs, ProvingParty, proofs_for
from tests.factories import make_client, make_user
from tests.site import Site

PATH = "/api/v1/credits/add"


def test_a_bound_token_is_worth_nothing_without_a_new_proof_of_its_key(site: Site) -> None:
    proofs, person = proofs_for(site), make_user(site)
    app = make_client(site, "service", scopes=["credits:add", "credits:read"])
    got = ProvingParty(site, app, proofs).token(grant_type="client_credentials").json()
    token = got["access_token"]
    balance = f"/api/v1/credits/balance?user_id={person.id}"

    def add(key: str, scheme: str = "DPoP", **sent: str) -> Response:
        headers = {"authorization": f"{scheme} {token}", "idempotency-key": key, **sent}
        body = {"user_id": person.id, "amount": "1.00"}
        answer: Response = site.http.post(PATH, headers=headers, json=body)
        return answer

    def proof(who: Proofs = proofs, **changes: Any) -> str:
        return who.make("POST", PATH, token, **changes)

    good = proof()
    refused = [
        add("none"),
        add("bearer", "Bearer"),
        add("bearer-with-proof", "Bearer", dpop=proof()),
        add("other-key", dpop=proof(proofs_for(site))),
        add("other-method", dpop=proof(htm="GET")),
        add("other-address", dpop=proof(htu=f"{site.issuer}/api/v1/credits/use")),
    ]
    added = add("good", dpop=good)
    refused += [add("good", dpop=good), add("again", dpop=good)]
    repeated = add("good", dpop=proof())
    read = site.http.get(
        balance,
        headers={
            "authorization": f"DPoP {token}",
            "dpop": proofs.make("GET", "/api/v1/credits/balance", token),
        },
    )

    assert got["token_type"] == "DPoP"
    assert {answer.status_code for answer in refused} == {401}
    assert all("DPoP" in answer.headers["www-authenticate"] for answer in refused)
    assert (added.status_code, repeated.status_code) == (200, 200)
    assert repeated.headers["idempotent-replayed"] == "true"
    assert read.json()["balance"] == "1.00"
