"""The one door to Authlib, which has no types of its own: its classes as typed bases, re-exported."""

from typing import TYPE_CHECKING, Any

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationServer as _AuthorizationServer
from authlib.oauth2.rfc6749 import grants as _grants
from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)
from authlib.oauth2.rfc6749.requests import OAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge as _CodeChallenge
from authlib.oidc.core.errors import (
    ConsentRequiredError,
    InteractionRequiredError,
    LoginRequiredError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

if TYPE_CHECKING:
    AuthorizationServerBase = Any
    AuthorizationCodeGrantBase = Any
    RefreshTokenGrantBase = Any
    ClientCredentialsGrantBase = Any
    PasswordGrantBase = Any
    CodeChallengeBase = Any
else:
    AuthorizationServerBase = _AuthorizationServer
    AuthorizationCodeGrantBase = _grants.AuthorizationCodeGrant
    RefreshTokenGrantBase = _grants.RefreshTokenGrant
    ClientCredentialsGrantBase = _grants.ClientCredentialsGrant
    PasswordGrantBase = _grants.ResourceOwnerPasswordCredentialsGrant
    CodeChallengeBase = _CodeChallenge

__all__ = [
    "AccessDeniedError",
    "AuthorizationCodeGrantBase",
    "AuthorizationServerBase",
    "ClientCredentialsGrantBase",
    "CodeChallengeBase",
    "ConsentRequiredError",
    "InteractionRequiredError",
    "InvalidClientError",
    "InvalidGrantError",
    "InvalidRequestError",
    "InvalidScopeError",
    "LoginRequiredError",
    "OAuth2Error",
    "OAuth2Payload",
    "OAuth2Request",
    "PasswordGrantBase",
    "RefreshTokenGrantBase",
    "RequestNotSupportedError",
    "RequestURINotSupportedError",
    "UnauthorizedClientError",
    "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
]
