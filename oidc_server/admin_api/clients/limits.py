"""Which clients a caller may make, change, or get the secret of."""

from oidc_server.api.operations import Call
from oidc_server.domain import resources, roles
from oidc_server.domain.client_metadata import ClientMetadata
from oidc_server.oauth2.vocabulary import API_SCOPES, GrantType
from oidc_server.web.errors import ProblemError, types

_BEYOND_CONSENT = ("skip_consent", "may_introspect", "may_exchange")
"""With these a client gets what no person has allowed it; so does one that serves a resource."""
_READING = frozenset(scope for scope in API_SCOPES if scope.endswith(":read"))


def require_as_much(call: Call, metadata: ClientMetadata, client_id: str | None = None) -> None:
    """Nobody makes a client that may more than they do, nor gets at the secret of one.

    A service may what its token says; what goes beyond the consent of people is for administrators,
    and for services, which only an operator makes. People are limited to those who may no more than
    they do, and never act on themselves; a service is not. So one that does more than read would be
    a way around that, whoever's scopes it has. Scopes of resources that a role gives are like ours:
    whoever lacks the role does not get them in a token of their own.
    """
    caller, db = call.caller, call.ctx.db
    held = caller.held
    if held is None:
        allowed = metadata.scopes & API_SCOPES <= caller.token.scopes
    else:
        wanted = metadata.scopes & (API_SCOPES | roles.scopes_of_all(db))
        acts_alone = GrantType.CLIENT_CREDENTIALS in metadata.grant_types and wanted - _READING
        beyond = any(getattr(metadata, name) for name in _BEYOND_CONSENT)
        serves = client_id is not None and resources.serves_any(db, client_id)
        allowed = held.is_administrator or (
            wanted <= held.scopes and not (acts_alone or beyond or serves)
        )
    if not allowed:
        raise ProblemError(
            types.NOT_ALLOWED, "The client has, or would get, more than you may yourself."
        )
