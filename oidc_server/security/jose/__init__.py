"""JOSE (RFC 7515 to RFC 7519), and joserfc's one home.

`own_tokens.py` writes and reads what we sign. `client_tokens.py` reads what clients sign, with keys
that they publish or with their secret. `encryption.py` encrypts to them. All of them begin with
`reading.py`.
"""

from oidc_server.security.jose.client_tokens import (
    ClientKeys,
    Signed,
    peek,
    verify_embedded,
    verify_hmac,
)
from oidc_server.security.jose.own_tokens import (
    ALGORITHMS,
    SigningKey,
    VerificationKeys,
    half_hash,
    is_current,
)
from oidc_server.security.jose.reading import (
    MAX_TOKEN_LENGTH,
    ClaimError,
    Claims,
    parse_json_object,
)
from oidc_server.security.jose.thumbprints import thumbprint

__all__ = [
    "ALGORITHMS",
    "MAX_TOKEN_LENGTH",
    "ClaimError",
    "Claims",
    "ClientKeys",
    "Signed",
    "SigningKey",
    "VerificationKeys",
    "half_hash",
    "is_current",
    "parse_json_object",
    "peek",
    "thumbprint",
    "verify_embedded",
    "verify_hmac",
]
