"""`id_token_hint`: an ID Token of ours that is sent back to us (Core §3.1.2.1)."""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain.signing_keys import KeyRing
from oidc_server.oauth2.vocabulary import ID_TOKEN_TYPE
from oidc_server.security.jose import Claims

_ALWAYS = {"sub", "exp"}
"""What every ID Token has (Core §2)."""


def read_hint(
    db: Transaction, keys: KeyRing, hint: str, *, issuer: str, now: datetime
) -> Claims | None:
    """The claims of an ID Token of ours, expired or not; None for any other token.

    `aud` is the client that it was given to: whoever sends it must be that one.
    """
    keys.refresh(db, now)
    claims = keys.hint_verification(now).verify(hint, typ=ID_TOKEN_TYPE, issuer=issuer)
    if claims is None or not isinstance(claims.get("aud"), str) or not claims.keys() >= _ALWAYS:
        return None
    return claims
