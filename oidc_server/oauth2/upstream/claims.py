"""What a provider says of somebody who signed in there, and what Authlib lets us believe of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from oidc_server.domain.upstream_sign_ins import Attempt
from oidc_server.oauth2.authlib import CodeIDToken
from oidc_server.oauth2.upstream.client import Registration, UpstreamError
from oidc_server.security.jose import ClaimError, Signed

LEEWAY = timedelta(seconds=60)
"""For clocks of providers that differ from ours."""
CLAIMS = ("email", "email_verified", "name", "preferred_username")
"""What we would like to know of somebody who is new here."""
_MAX_SUB = 255
"""Core §2."""
_LONGEST = 320
_YEAR_10000 = 253_402_300_800
"""Seconds since 1970; `datetime` has no later dates."""


@dataclass(frozen=True)
class Told:
    """Who signed in there, and when, if the provider said so. `claims` are among `CLAIMS`."""

    sub: str
    claims: Mapping[str, Any]
    auth_time: datetime | None


def claims_of(
    signed: Signed | None,
    registration: Registration,
    attempt: Attempt,
    access_token: object,
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of an ID Token whose signature was looked at; all of Core §3.1.3.7 is checked.

    `signed` is None if it is not the provider's. Raises `UpstreamError`.
    """
    if signed is None:
        raise UpstreamError("the ID Token is not signed by the provider")
    # RFC 9864 has a newer name for what Authlib knows as EdDSA.
    alg = "EdDSA" if signed.header["alg"] == "Ed25519" else signed.header["alg"]
    claims = CodeIDToken(
        signed.claims,
        {**signed.header, "alg": alg},
        {
            "iss": {"essential": True, "value": registration.issuer},
            "aud": {"essential": True, "value": registration.client_id},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "iat": {"essential": True},
        },
        {
            "nonce": attempt.nonce,
            "client_id": registration.client_id,
            "access_token": access_token,
        },
    )
    try:
        claims.validate(now=int(now.timestamp()), leeway=int(LEEWAY.total_seconds()))
    except (ClaimError, ValueError, TypeError, AttributeError) as error:
        claim = getattr(error, "claim", None) or type(error).__name__
        raise UpstreamError(f"the ID Token does not hold: {claim}") from None
    sub = signed.claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= _MAX_SUB or "\0" in sub:
        raise UpstreamError("the ID Token does not hold: sub")
    return signed.claims


def told(claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> Told:
    """What is of use in the claims of an ID Token and in what userinfo adds."""
    return Told(claims["sub"], _wanted(claims, userinfo), _auth_time(claims))


def _wanted(claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """The useful claims, if they are well formed; the ID Token takes precedence over userinfo.

    `email_verified` is read where the address was (Core §5.7).
    """
    said = {**userinfo, **claims}
    of_email = claims if "email" in claims else userinfo
    found: dict[str, Any] = {}
    for name in CLAIMS:
        value = said.get(name)
        if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable():
            found[name] = value
    return {**found, "email_verified": of_email.get("email_verified") is True}


def _auth_time(claims: Mapping[str, Any]) -> datetime | None:
    value = claims.get("auth_time")
    if not isinstance(value, (int, float)) or not 0 < value < _YEAR_10000:
        return None
    return datetime.fromtimestamp(value, UTC)
