"""Builds ID Tokens (Core §2). Userinfo tells about the person, not they (Core §5.4)."""

from typing import Any

from oidc_server.domain import claims as person_claims
from oidc_server.domain.clients import Client
from oidc_server.domain.grants import Granted
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.vocabulary import ID_TOKEN_TYPE
from oidc_server.security.jose import half_hash


def write(
    exchange: Exchange, client: Client, granted: Granted, access_token: str, *, first: bool
) -> str:
    """An ID Token; on refresh it keeps `auth_time` and has no nonce (Core §12.2).

    Encrypted if the client registered so (Core §10.2); raises `NoEncryptionKeyError`.
    """
    key = exchange.keys.signer(client.metadata.id_token_signed_response_alg, exchange.now)
    issued_at = int(exchange.now.timestamp())
    requested = person_claims.narrow(granted.claims, client.metadata.scopes)
    claims: dict[str, Any] = {
        **person_claims.for_id_token(exchange.db, granted.user_id, requested),
        "iss": exchange.issuer,
        "sub": granted.sub,
        "aud": client.client_id,
        "iat": issued_at,
        "exp": issued_at + int(exchange.lifetimes.id_token_lifetime.total_seconds()),
        "auth_time": int(granted.auth_time.timestamp()),
        "at_hash": half_hash(key.alg, access_token),
    }
    optional = {
        "nonce": granted.nonce if first else None,
        "acr": granted.acr,
        "amr": sorted(granted.amr) or None,
        "sid": granted.sid,
    }
    claims.update((name, value) for name, value in optional.items() if value is not None)
    token = key.sign(claims, typ=ID_TOKEN_TYPE)
    alg, enc = (
        client.metadata.id_token_encrypted_response_alg,
        client.metadata.id_token_encrypted_response_enc,
    )
    if alg is None or enc is None:
        return token
    return exchange.client_keys.encrypt(client, token, alg=alg, enc=enc, now=exchange.now)
