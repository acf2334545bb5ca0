"""PKCE (RFC 7636) with S256 only, as an extension of the code grant."""

import hmac
import re
from typing import Any

from oidc_server.oauth2.authlib import CodeChallengeBase, InvalidGrantError
from oidc_server.security import base64url

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class S256(CodeChallengeBase):
    """Checks the verifier. Who must send a challenge is decided in authorization/request/."""

    def __init__(self) -> None:
        super().__init__(required=True)

    def validate_code_verifier(self, grant: Any, _result: object) -> None:
        challenge: str | None = grant.request.authorization_code.code_challenge
        verifier: str | None = grant.request.form.get("code_verifier")
        if challenge is None and verifier is None:
            return
        if challenge is None:  # a downgrade (RFC 9700 §4.8.2)
            raise InvalidGrantError("There is a code_verifier, but there was no code_challenge.")
        if verifier is None:
            raise InvalidGrantError("The parameter code_verifier is missing.")
        if not matches(challenge, verifier):
            raise InvalidGrantError("The code_verifier does not match the code_challenge.")


def matches(challenge: str, verifier: str) -> bool:
    """Whether the verifier hashes to the challenge (RFC 7636 §4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(base64url.sha256(verifier.encode("ascii")), challenge)
