"""The values that members of client metadata may have: what discovery tells, too."""

from enum import StrEnum


class GrantType(StrEnum):
    """Ways to get a token that this server offers (RFC 6749 §1.3)."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"
    PASSWORD = "password"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Scope(StrEnum):
    """Scopes with a meaning of their own: Core §5.4, §11, and the roles of a person (ADR 0031)."""

    OPENID = "openid"
    PROFILE = "profile"
    EMAIL = "email"
    ADDRESS = "address"
    PHONE = "phone"
    ROLES = "roles"
    OFFLINE_ACCESS = "offline_access"


STANDARD_SCOPES = tuple(scope.value for scope in Scope)
GRANT_TYPES = tuple(grant_type.value for grant_type in GrantType)
CONFIDENTIAL_GRANT_TYPES = frozenset(
    {
        GrantType.CLIENT_CREDENTIALS.value,
        GrantType.JWT_BEARER.value,
        GrantType.TOKEN_EXCHANGE.value,
    }
)
"""Where nobody but the client itself says that it may have something."""
AUTH_METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
ASYMMETRIC_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
ENCRYPTION_ALGORITHMS = (
    "RSA-OAEP",
    "RSA-OAEP-256",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A256KW",
)
ENCRYPTION_METHODS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")
DEFAULT_ENCRYPTION_METHOD = "A128CBC-HS256"
"""OpenID Connect Registration §2."""
FAPI_ALGORITHMS = ("PS256", "ES256", "EdDSA")
"""FAPI 2.0 Security Profile §5.4.1."""
