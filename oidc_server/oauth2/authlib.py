"""The one door to Authlib. It has no types: those of what we use are in `authlib.pyi`."""

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749 import AuthorizationServer as AuthorizationServerBase
from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant as AuthorizationCodeGrantBase,
)
from authlib.oauth2.rfc6749.grants import (
    ClientCredentialsGrant as ClientCredentialsGrantBase,
)
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant as RefreshTokenGrantBase
from authlib.oauth2.rfc6749.grants import (
    ResourceOwnerPasswordCredentialsGrant as PasswordGrantBase,
)
from authlib.oauth2.rfc6749.requests import OAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge as CodeChallengeBase
from authlib.oauth2.rfc8628 import (
    AuthorizationPendingError,
    ExpiredTokenError,
    SlowDownError,
)
from authlib.oauth2.rfc8628 import DeviceCodeGrant as DeviceCodeGrantBase
from authlib.oidc.core import CodeIDToken
from authlib.oidc.core.errors import (
    ConsentRequiredError,
    InvalidRequestObjectError,
    InvalidRequestURIError,
    LoginRequiredError,
)

__all__ = [
    "AccessDeniedError",
    "AuthorizationCodeGrantBase",
    "AuthorizationPendingError",
    "AuthorizationServerBase",
    "ClientCredentialsGrantBase",
    "CodeChallengeBase",
    "CodeIDToken",
    "ConsentRequiredError",
    "DeviceCodeGrantBase",
    "ExpiredTokenError",
    "InvalidClientError",
    "InvalidGrantError",
    "InvalidRequestError",
    "InvalidRequestObjectError",
    "InvalidRequestURIError",
    "InvalidScopeError",
    "LoginRequiredError",
    "OAuth2Client",
    "OAuth2Error",
    "OAuth2Payload",
    "OAuth2Request",
    "PasswordGrantBase",
    "RefreshTokenGrantBase",
    "SlowDownError",
    "TokenGrantBase",
    "UnauthorizedClientError",
    "UnsupportedResponseTypeError",
]


class TokenGrantBase(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """The base of a grant of the token endpoint that Authlib has no class for."""
