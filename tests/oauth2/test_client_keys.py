"""Encrypting to a client: with its registered keys, or with those that it publishes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from joserfc import jwe, jwk

from oidc_server.domain import clients
from oidc_server.oauth2.client_keys import NoEncryptionKeyError
from oidc_server.outbound.documents import RETRY_AFTER, FetchNeeded
from tests.factories import make_client
from tests.services.external_service import external_service, saying
from tests.site import Site

ALG, ENC = "ECDH-ES+A128KW", "A128GCM"
BOX = jwk.ECKey.generate_key("P-256", parameters={"kid": "box", "use": "enc"})
PUBLISHED = {"keys": [dict(BOX.as_dict(private=False))]}


def encrypt(site: Site, client_id: str) -> str:
    """As a handler does it that the adapter runs again after each fetch."""
    with site.db() as db:
        client = clients.load(db, client_id)
    for _ in range(4):
        try:
            return site.runtime.client_keys.encrypt(
                client, "a.b.c", alg=ALG, enc=ENC, now=site.clock.now
            )
        except FetchNeeded as need:
            need.fetch()
    raise AssertionError("it never ends")


def opened(sealed: str) -> bytes | None:
    return jwe.decrypt_compact(sealed, BOX, algorithms=[ALG, ENC]).plaintext


def encrypting(site: Site, **keys: Any) -> str:
    return make_client(site, id_token_encrypted_response_alg=ALG, **keys).client_id


def test_a_token_is_encrypted_to_the_registered_key(site: Site) -> None:
    assert opened(encrypt(site, encrypting(site, jwks=PUBLISHED))) == b"a.b.c"


def test_a_key_that_is_published_later_is_found(start_site: Callable[..., Site]) -> None:
    site = start_site(issuer="http://localhost:8000")
    with external_service(saying(b'{"keys":[]}')) as other:
        client_id = encrypting(site, jwks_uri=other.url())
        with pytest.raises(NoEncryptionKeyError):
            encrypt(site, client_id)
        other.behaviour = saying(orjson.dumps(PUBLISHED))

        site.clock.advance(RETRY_AFTER)
        sealed = encrypt(site, client_id)

    assert opened(sealed) == b"a.b.c"
    assert len(other.asked) == 2


def test_keys_of_a_revision_that_came_to_nothing_are_not_those_of_the_next(site: Site) -> None:
    """A change that is not committed has the number that the next one gets."""
    others = jwk.ECKey.generate_key("P-256", parameters={"kid": "others", "use": "enc"})
    client_id = encrypting(site, jwks=PUBLISHED)
    with site.db() as db:
        client = clients.load(db, client_id)
    published = {"keys": [dict(others.as_dict(private=False))]}
    lost = replace(client, metadata=replace(client.metadata, jwks=published))
    site.runtime.client_keys.find(lost, site.clock.now)

    assert opened(encrypt(site, client_id)) == b"a.b.c"
