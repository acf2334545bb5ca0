"""Encrypting a token to a client (RFC 7516 §5.1): signed first, and then encrypted."""

from joserfc import jwe

from oidc_server.security.jose.public_keys import PublicKey


def encrypt_to(key: PublicKey, token: str, *, alg: str, enc: str, nested: bool) -> str:
    """The token in compact form; if `nested`, `cty` says that a JWT is inside (RFC 7519 §5.2)."""
    header = {"alg": alg, "enc": enc} | ({"cty": "JWT"} if nested else {})
    if key.kid is not None:
        header["kid"] = key.kid
    return jwe.encrypt_compact(header, token, key.key, algorithms=[alg, enc])
