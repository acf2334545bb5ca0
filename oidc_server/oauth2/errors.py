"""Errors that reach a client, beyond those Authlib defines, and how any of them is written.

OAuth2Error (Authlib)
├── ClientMetadataError        see RFC 7591 §3.2.2
├── InvalidTargetError         invalid_target          RFC 8707 §2
├── UnmetAuthenticationRequirementsError
│                              unmet_authentication_requirements
├── InvalidDpopProofError      invalid_dpop_proof      RFC 9449 §5
├── UseDpopNonceError          use_dpop_nonce          RFC 9449 §8
├── AmbiguousTokenError        invalid_request         RFC 6750 §3.1
├── InsufficientScopeError     insufficient_scope      RFC 6750 §3.1
└── InvalidTokenError          invalid_token           RFC 6750 §3.1
    ├── UnprovenTokenError     invalid_token           RFC 9449 §7.2
    ├── InvalidRegistrationTokenError
    │                          invalid_token           RFC 7591 §3, RFC 7592 §2
    └── InsufficientUserAuthenticationError
                               insufficient_user_authentication
                                                       RFC 9470 §3
"""

from oidc_server.oauth2.authlib import OAuth2Error


class InvalidTargetError(OAuth2Error):
    """The resource asked for is unknown, or not one this grant covers."""

    error = "invalid_target"


class UnmetAuthenticationRequirementsError(OAuth2Error):
    """The `acr` that the client insists on cannot be reached (Unmet Auth Requirements §2)."""

    error = "unmet_authentication_requirements"


class ClientMetadataError(OAuth2Error):
    """The metadata of a client is invalid; `error` is one of RFC 7591 §3.2.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class InvalidDpopProofError(OAuth2Error):
    """The DPoP proof was used, or is not one of this request; at resources 401, or missing."""

    error = "invalid_dpop_proof"


class UseDpopNonceError(OAuth2Error):
    """The DPoP proof needs the nonce that the answer brings; 401 at resources."""

    error = "use_dpop_nonce"


class InvalidTokenError(OAuth2Error):
    """The access token is missing, expired, revoked, or not for us."""

    error = "invalid_token"
    status_code = 401

    def __init__(self, description: str, *, presented: bool = True) -> None:
        super().__init__(description)
        self.presented = presented


class UnprovenTokenError(InvalidTokenError):
    """The access token is bound to a key, and came as Bearer: DPoP is the way to send it."""


class InvalidRegistrationTokenError(InvalidTokenError):
    """The token of a registration is missing or not valid. It is always sent as Bearer."""


class InsufficientUserAuthenticationError(InvalidTokenError):
    """The access token is valid, but its sign-in is too weak or too old (RFC 9470 §3).

    `max_age` is in seconds. Without `acr_values` any class will do, without `max_age` any age.
    """

    error = "insufficient_user_authentication"

    def __init__(
        self, description: str, *, max_age: int | None = None, acr_values: str | None = None
    ) -> None:
        super().__init__(description)
        wanted = {"max_age": max_age, "acr_values": acr_values}
        self.wanted = {name: value for name, value in wanted.items() if value is not None}


class AmbiguousTokenError(OAuth2Error):
    """An access token was sent in more than one way."""

    error = "invalid_request"


class InsufficientScopeError(OAuth2Error):
    """The access token is good, and does not allow this."""

    error = "insufficient_scope"
    status_code = 403

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.")
        self.scope = scope


def as_description(text: str) -> str:
    """Text as `error_description` may hold it (RFC 6749 §5.2); § is written out."""
    words = text.replace("§", "section ").replace('"', "'")
    return "".join(char if " " <= char <= "~" and char != "\\" else "?" for char in words)


def describable(text: str, limit: int = 80) -> str:
    """The same for text of others, cut to `limit` characters."""
    shown = as_description(text)
    return shown if len(shown) <= limit else shown[:limit] + "..."
