"""Client assertions: a client proves itself by a JWT that it signs (RFC 7523 §2.2, Core §9)."""

from collections.abc import Collection

from oidc_server.domain.clients import Client
from oidc_server.oauth2 import assertions
from oidc_server.oauth2.client_keys import signing_algorithms
from oidc_server.oauth2.exchange import Exchange
from oidc_server.security import jose
from oidc_server.security.jose import Claims, Signed

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET_ALGORITHM = "HS256"
METHODS = ("private_key_jwt", "client_secret_jwt")

_NAMESPACE = "client_assertion"
_TYPES = (None, "jwt", "client-authentication+jwt")


def named_client(assertion: str) -> str | None:
    """The `sub` of an assertion, before anything in it is verified."""
    sub = (jose.peek(assertion) or {}).get("sub")
    return sub if isinstance(sub, str) and sub and "\0" not in sub else None


def proves(exchange: Exchange, client: Client, assertion: str, *, claim: bool) -> bool:
    """Whether the assertion is one of this client, for us, current, and used for the first time.

    `claim=False` does not mark the `jti` as used, for a check before the real authentication.
    Raises what `ClientKeyStore.verify` raises.
    """
    claims = jose.peek(assertion)
    if claims is None or not _are_good(exchange, client, claims):
        return False
    signed = _verify(exchange, client, assertion)
    if signed is None or signed.typ not in _TYPES:
        return False
    if not claim:
        return not assertions.was_used(exchange.db, _NAMESPACE, client.client_id, claims)
    return assertions.claim(exchange.db, _NAMESPACE, client.client_id, claims)


def _verify(exchange: Exchange, client: Client, assertion: str) -> Signed | None:
    if client.metadata.token_endpoint_auth_method == "client_secret_jwt":
        secrets = client.open_secrets(exchange.vault, exchange.now)
        return jose.verify_hmac(assertion, secrets, (SECRET_ALGORITHM,))
    algorithms = signing_algorithms(client, client.metadata.token_endpoint_auth_signing_alg)
    return exchange.client_keys.verify(client, assertion, algorithms, exchange.now)


def _are_good(exchange: Exchange, client: Client, claims: Claims) -> bool:
    """RFC 7523 §3: issuer, subject, audience, times and `jti`."""
    return (
        claims.get("iss") == claims.get("sub") == client.client_id
        and isinstance(claims.get("aud"), str)
        and claims["aud"] in _audiences(exchange.issuer, client)
        and assertions.is_current(claims, exchange.now)
        and assertions.is_jti(claims.get("jti"))
    )


def _audiences(issuer: str, client: Client) -> Collection[str]:
    """The accepted values of `aud`; FAPI 2.0 Security Profile §5.3.2.1 allows the issuer only."""
    if client.metadata.profile is not None:
        return (issuer,)
    # RFC 9126 §2 adds the address of /par. Any of them is accepted at every endpoint.
    return (issuer, f"{issuer}/token", f"{issuer}/par")
