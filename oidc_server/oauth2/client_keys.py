"""The public keys of clients: registered with them (`jwks`), or published by them (`jwks_uri`)."""

import threading
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta

from oidc_server.domain.base import DomainError
from oidc_server.domain.client_metadata import ASYMMETRIC_ALGORITHMS, FAPI_ALGORITHMS
from oidc_server.domain.clients import Client
from oidc_server.domain.trusted_issuers import TrustedIssuer
from oidc_server.outbound.addresses import OutboundRefusedError
from oidc_server.outbound.documents import Documents, Purpose
from oidc_server.security.jose import ClientKeys, Signed, parse_json_object

_MOST_SETS = 1000


def parse_keys(body: bytes) -> ClientKeys:
    """The keys in a JWK Set that somebody publishes; raises `ValueError`."""
    return ClientKeys(parse_json_object(body))


JWKS = Purpose(
    name="jwks_uri",
    accept="application/jwk-set+json, application/json",
    lifetime=timedelta(minutes=5),
    stale_lifetime=timedelta(hours=1),
    parse=parse_keys,
)
"""A withdrawn key is accepted for `lifetime` at most, or for `stale_lifetime` while no newer copy
can be fetched; a new key is accepted at once."""


def _keys_of(client: Client) -> Purpose:
    return JWKS.of_client(self_registered=client.self_registered)


class NoEncryptionKeyError(DomainError):
    """The client wants encrypted responses and has no key for them; none is sent unencrypted."""


def signing_algorithms(client: Client, registered: str | None) -> Collection[str]:
    """What a client may sign with: the registered algorithm, or every one that suits it."""
    if registered is not None:
        algorithms: tuple[str, ...] = (registered,)
    else:
        algorithms = FAPI_ALGORITHMS if client.metadata.profile else ASYMMETRIC_ALGORITHMS
    return _with_newer_names(algorithms)


def _with_newer_names(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    """RFC 9864 §2.2 calls EdDSA with the curve of our keys Ed25519."""
    return (*algorithms, "Ed25519") if "EdDSA" in algorithms else algorithms


class ClientKeyStore:
    """Finds the keys of a client, in this process.

    Its methods raise `FetchNeeded` (see `outbound/documents.py`) when a `jwks_uri` has to be asked
    first, and `OutboundUnavailableError` when it does not answer and no copy is recent
    enough: no token is accepted because its keys are unavailable.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._registered: dict[str, tuple[object, ClientKeys]] = {}
        self._lock = threading.Lock()

    def verify(
        self, client: Client, token: str, algorithms: Collection[str], now: datetime
    ) -> Signed | None:
        """The token, if a key of this client signed it with one of the algorithms; else None."""
        keys = self.find(client, now)
        signed = keys.verify(token, algorithms) if keys is not None else None
        if signed is None and client.metadata.jwks_uri is not None:
            # The client may have new keys since the last fetch: run again once with those.
            self._documents.renew(_keys_of(client), client.metadata.jwks_uri, now)
        return signed

    def verify_of_issuer(self, issuer: TrustedIssuer, token: str, now: datetime) -> Signed | None:
        """The token, if a key of this trusted issuer signed it."""
        algorithms = _with_newer_names(ASYMMETRIC_ALGORITHMS)
        if issuer.jwks is not None:
            keys = self._imported(f"issuer {issuer.issuer}", issuer.jwks)
            return keys.verify(token, algorithms)
        if issuer.jwks_uri is None:
            return None
        signed = None
        with suppress(OutboundRefusedError):
            signed = self._documents.get(JWKS, issuer.jwks_uri, now).verify(token, algorithms)
        if signed is None:
            self._documents.renew(JWKS, issuer.jwks_uri, now)
        return signed

    def encrypt(
        self, client: Client, token: str, *, alg: str, enc: str, now: datetime, nested: bool = True
    ) -> str:
        """A token encrypted to the client (Core §10.2); `nested` if it is a signed one.

        Raises `NoEncryptionKeyError`, which rolls the request back: its code stays usable.
        """
        keys = self.find(client, now)
        if keys is not None:
            with suppress(ValueError):
                return keys.encrypt(token, alg=alg, enc=enc, nested=nested)
        if client.metadata.jwks_uri is not None:
            self._documents.renew(_keys_of(client), client.metadata.jwks_uri, now)
        raise NoEncryptionKeyError(f"The client has no key to encrypt to with {alg}.")

    def find(self, client: Client, now: datetime) -> ClientKeys | None:
        """All keys of the client; None if it has none, or publishes what is no good key set."""
        metadata = client.metadata
        if metadata.jwks is not None:
            return self._imported(client.client_id, metadata.jwks)
        if metadata.jwks_uri is None:
            return None
        try:
            keys: ClientKeys = self._documents.get(_keys_of(client), metadata.jwks_uri, now)
        except OutboundRefusedError:
            return None
        return keys

    def _imported(self, owner: str, jwks: object) -> ClientKeys:
        """The imported keys, cached since importing takes as long as many signatures.

        Compared by content, not by revision: the number of one that was rolled back is used again.
        """
        known = self._registered.get(owner)
        if known is not None and known[0] == jwks:
            return known[1]
        keys = ClientKeys(jwks)
        with self._lock:
            if len(self._registered) >= _MOST_SETS:
                self._registered.pop(next(iter(self._registered)))
            self._registered[owner] = (jwks, keys)
        return keys
