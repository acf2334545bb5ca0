"""What proves somebody once does not prove them again because a backup was brought back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from oidc_server.domain import trusted_issuers
from tests.client_assertions import KEYS, assertion_fields, claims_for, key_set, sign
from tests.dpop import Proofs, proofs_for
from tests.factories import App, Person, make_client, make_user
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.transfer.conftest import site_on

pytestmark = pytest.mark.slow
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
COMPANY = "https://people.example.org"
KEY = KEYS["ES256"]
CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}


class Signers:
    """A client that signs, an issuer that is trusted, a client with a key: what each sends."""

    def __init__(self, site: Site) -> None:
        self.signing: App = make_client(
            site,
            "service",
            token_endpoint_auth_method="private_key_jwt",
            jwks=key_set(KEY),
        )
        self.bearer: App = make_client(site, "service", grant_types=(JWT_BEARER,))
        self.proving: App = make_client(site, "service")
        self.person: Person = make_user(site)
        self.proofs: Proofs = proofs_for(site)
        with site.db() as db:
            trusted_issuers.add(
                db,
                issuer=COMPANY,
                jwks=key_set(KEY),
                jwks_uri=None,
                audience=None,
                subject="sub",
                now=site.clock.now,
            )

    def make(self, site: Site, **changes: Any) -> dict[str, Callable[[Site], int]]:
        """One of each kind, made now; calling it sends it, and tells the status."""
        client_id, now = self.signing.client_id, site.clock.now
        of_client = sign(KEY, claims_for(client_id, site.issuer, now, **changes))
        about = {"iss": COMPANY, "sub": self.person.id, **changes}
        of_issuer = sign(KEY, claims_for(self.person.id, site.issuer, now, **about))
        proof = replace(self.proofs, now=site.clock.now.timestamp).make()

        def assert_client(there: Site) -> int:
            form = assertion_fields(of_client, **CLIENT_CREDENTIALS)
            return int(there.http.post("/token", data=form).status_code)

        def assert_person(there: Site) -> int:
            party = RelyingParty(there, self.bearer)
            answer = party.token(grant_type=JWT_BEARER, assertion=of_issuer)
            return int(answer.status_code)

        def prove(there: Site) -> int:
            auth = (self.proving.client_id, self.proving.client_secret or "")
            headers = {"dpop": proof}
            answer = there.http.post("/token", data=CLIENT_CREDENTIALS, auth=auth, headers=headers)
            return int(answer.status_code)

        return {"client": assert_client, "issuer": assert_person, "dpop": prove}


def sent(made: dict[str, Callable[[Site], int]], site: Site) -> dict[str, int]:
    return {kind: send(site) for kind, send in made.items()}


GOOD = {"client": 200, "issuer": 200, "dpop": 200}
REFUSED = {"client": 401, "issuer": 400, "dpop": 400}


@pytest.mark.postgres
def test_what_was_used_between_a_backup_and_its_restore_is_not_good_again(
    command, fresh_database_url, tmp_path
):
    with site_on(fresh_database_url, tmp_path / "data") as site:
        signers = Signers(site)
        made = command(fresh_database_url, "backup", "one.backup")
        hour = {"exp": int(site.clock.now.timestamp()) + 3600, "iat": None, "nbf": None}
        used = [signers.make(site), signers.make(site, **hour)]
        assert [sent(one, site) for one in used] == [GOOD, GOOD]
    assert made.status == 0, made.stderr

    done = command(fresh_database_url, "restore", "one.backup", "--replace")

    assert done.status == 0, done.stderr
    with site_on(fresh_database_url, tmp_path / "data") as site:
        assert [sent(one, site) for one in used] == [REFUSED, REFUSED]
        site.clock.advance(timedelta(minutes=2))
        of_now = signers.make(site)
        assert sent(of_now, site) == GOOD
        assert sent(of_now, site) == REFUSED
        undated = signers.make(site, iat=None, nbf=None)
        assert sent(undated, site) == {**REFUSED, "dpop": 200}  # it may be an hour old
        site.clock.advance(timedelta(hours=1))
        assert sent(signers.make(site, iat=None, nbf=None), site) == GOOD
