"""Access tokens as JWTs (RFC 9068): what is in them, and how ours are read back. See ADR 0006."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from oidc_server.domain.signing_keys import KeyRing
from oidc_server.oauth2.vocabulary import ACCESS_TOKEN_TYPE
from oidc_server.security import jose, opaque_tokens
from oidc_server.security.jose import VerificationKeys

_REMEMBERED = 4096


class AccessToken(NamedTuple):
    """The claims of a token of ours whose signature, type, issuer and time are good."""

    claims: dict[str, Any]

    @property
    def grant_id(self) -> str | None:
        return self.claims.get("grant_id")

    @property
    def client_id(self) -> str:
        return str(self.claims["client_id"])

    @property
    def jti(self) -> str:
        return str(self.claims["jti"])

    @property
    def jkt(self) -> str | None:
        """The key that it is bound to (RFC 9449 §6.1); None for a bearer token."""
        confirmation = self.claims.get("cnf")
        return None if confirmation is None else str(confirmation["jkt"])

    @property
    def acr(self) -> str | None:
        """The `acr` of the sign-in behind it; None if there was none, or its `acr` is unknown."""
        return self.claims.get("acr")

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(str(self.claims.get("scope", "")).split())

    @property
    def audiences(self) -> tuple[str, ...]:
        audience = self.claims["aud"]
        return (audience,) if isinstance(audience, str) else tuple(audience)

    @property
    def issued_at(self) -> datetime:
        return datetime.fromtimestamp(self.claims["iat"], UTC)

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.claims["exp"], UTC)


def write(
    keys: KeyRing,
    *,
    issuer: str,
    sub: str,
    client_id: str,
    audiences: Sequence[str],
    scopes: frozenset[str],
    now: datetime,
    lifetime: timedelta,
    **claims: Any,
) -> str:
    """Sign an access token (RFC 9068 §2.2). Further claims that are None are left out."""
    issued_at = int(now.timestamp())
    body: dict[str, Any] = {
        "iss": issuer,
        "sub": sub,
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "client_id": client_id,
        "jti": opaque_tokens.mint(16),
        "iat": issued_at,
        "exp": issued_at + int(lifetime.total_seconds()),
        "scope": " ".join(sorted(scopes)),
    }
    body.update((name, value) for name, value in claims.items() if value is not None)
    return keys.signer(keys.access_token_alg, now).sign(body, typ=ACCESS_TOKEN_TYPE)


class AccessTokenReader:
    """Reads our own tokens. Verifying costs more than signing, so verified claims are remembered.

    What may change (expiry, revocation, removed keys) is checked every time.
    """

    def __init__(self, keys: KeyRing, issuer: str, leeway: timedelta) -> None:
        self._keys = keys
        self._issuer = issuer
        self._leeway = leeway
        self._verified: dict[str, dict[str, Any]] = {}
        self._verified_with: VerificationKeys | None = None

    def read(self, token: str, now: datetime) -> AccessToken | None:
        """The token, or None for anything that is not a current access token of ours."""
        verification = self._keys.verification(now)
        if verification is not self._verified_with or len(self._verified) > _REMEMBERED:
            self._verified = {}
            self._verified_with = verification
        claims = self._verified.get(token)
        if claims is None:
            # With every algorithm of ours: the setting may have changed since.
            claims = verification.verify(token, typ=ACCESS_TOKEN_TYPE, issuer=self._issuer)
            if claims is None:
                return None
            self._verified[token] = claims
        return AccessToken(claims) if jose.is_current(claims, now, self._leeway) else None
