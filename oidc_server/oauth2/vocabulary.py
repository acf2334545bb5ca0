"""Words of the wire, by the names of their specifications."""

from collections.abc import Iterable
from enum import StrEnum

from oidc_server.domain.client_metadata import GrantType, Scope
from oidc_server.domain.factors.strength import ACR_VALUES, PASSWORD_ACR, TWO_FACTOR_ACR

__all__ = [
    "ACCESS_TOKEN_TYPE",
    "ACR_VALUES",
    "ADMINISTRATIVE_SCOPES",
    "API_SCOPES",
    "ID_TOKEN_TYPE",
    "INTROSPECTION_TYPE",
    "LOGOUT_TOKEN_TYPE",
    "PASSWORD_ACR",
    "TWO_FACTOR_ACR",
    "ApiScope",
    "Display",
    "GrantType",
    "Prompt",
    "ResponseMode",
    "Scope",
    "TokenType",
    "in_order",
    "prompts",
]


class TokenType(StrEnum):
    """How an access token is to be sent (RFC 6750 §6.1.1, RFC 9449 §12.1)."""

    BEARER = "Bearer"
    DPOP = "DPoP"


class ResponseMode(StrEnum):
    """How an authorization response travels (Multiple Response Types, Form Post, JARM §2.3)."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"
    JWT = "jwt"
    QUERY_JWT = "query.jwt"
    FRAGMENT_JWT = "fragment.jwt"
    FORM_POST_JWT = "form_post.jwt"

    @property
    def is_signed(self) -> bool:
        """Whether all of it is one JWT."""
        return self.value.endswith("jwt")

    @property
    def carrier(self) -> "ResponseMode":
        """The mode without signing; where none is named, it is the query, for codes."""
        return ResponseMode(self.value.removesuffix("jwt").removesuffix(".") or "query")

    @classmethod
    def read(cls, asked: str | None, response_type: str | None) -> "ResponseMode":
        """The mode that is asked for, or what goes without saying for the response type.

        Where a token is asked for it is the fragment, of errors too (Multiple Response Types §3,
        §5; JARM §2.3.4): we give none, but the client looks nowhere else to learn that.
        """
        if asked in set(cls) - {cls.JWT}:
            return cls(asked)
        if {"token", "id_token"}.isdisjoint((response_type or "").split()):
            return cls.JWT if asked == cls.JWT else cls.QUERY
        return cls.FRAGMENT_JWT if asked == cls.JWT else cls.FRAGMENT


class Prompt(StrEnum):
    """What a client may ask of the pages (Core §3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"
    CREATE = "create"
    """Initiating User Registration §4."""


def prompts(*, sign_up_open: bool) -> frozenset[str]:
    """The prompts that a server offers: `create` only where anybody may make an account."""
    return frozenset(prompt.value for prompt in Prompt if sign_up_open or prompt != Prompt.CREATE)


class Display(StrEnum):
    """Where a client shows our pages (Core §3.1.2.1); they fit everywhere."""

    PAGE = "page"
    POPUP = "popup"
    TOUCH = "touch"
    WAP = "wap"


class ApiScope(StrEnum):
    """Scopes of our own API: their tokens are for us, and say which roles a person has."""

    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    CREDITS_READ = "credits:read"
    CREDITS_USE = "credits:use"
    CREDITS_ADD = "credits:add"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    USERS_DISABLE = "users:disable"
    INVITATIONS_READ = "invitations:read"
    INVITATIONS_WRITE = "invitations:write"
    ROLES_READ = "roles:read"
    ROLES_WRITE = "roles:write"
    CLIENTS_READ = "clients:read"
    CLIENTS_WRITE = "clients:write"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    GRANTS_READ = "grants:read"
    GRANTS_WRITE = "grants:write"
    RESOURCES_READ = "resources:read"
    RESOURCES_WRITE = "resources:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    AUDIT_READ = "audit:read"


API_SCOPES = frozenset(scope.value for scope in ApiScope)
ADMINISTRATIVE_SCOPES = frozenset(
    scope.value
    for scope in (
        ApiScope.CREDITS_ADD,
        ApiScope.USERS_READ,
        ApiScope.USERS_WRITE,
        ApiScope.USERS_DISABLE,
        ApiScope.INVITATIONS_READ,
        ApiScope.INVITATIONS_WRITE,
        ApiScope.ROLES_READ,
        ApiScope.ROLES_WRITE,
        ApiScope.CLIENTS_READ,
        ApiScope.CLIENTS_WRITE,
        ApiScope.SESSIONS_READ,
        ApiScope.SESSIONS_WRITE,
        ApiScope.GRANTS_READ,
        ApiScope.GRANTS_WRITE,
        ApiScope.RESOURCES_READ,
        ApiScope.RESOURCES_WRITE,
        ApiScope.KEYS_READ,
        ApiScope.KEYS_WRITE,
        ApiScope.AUDIT_READ,
    )
)
"""Those that nobody can use for themselves: in tokens of people who have a role that gives them."""


def in_order(scopes: Iterable[str]) -> list[str]:
    """Scopes as pages list them: those with a meaning of their own first."""
    places = {scope.value: place for place, scope in enumerate(Scope)}
    return sorted(scopes, key=lambda name: (places.get(name, len(places)), name))


ACCESS_TOKEN_TYPE = "at+jwt"
ID_TOKEN_TYPE = "JWT"
LOGOUT_TOKEN_TYPE = "logout+jwt"
INTROSPECTION_TYPE = "token-introspection+jwt"
