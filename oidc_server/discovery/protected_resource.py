"""/.well-known/oauth-protected-resource: who protects us, and what is below us (RFC 9728).

We are userinfo and the API. Below us, behind the same gateway, are the resource servers whose
identifier begins with the issuer; what is elsewhere publishes its own document.
"""

from typing import Any

import orjson

from oidc_server.domain import resources
from oidc_server.domain.client_metadata import STANDARD_SCOPES
from oidc_server.oauth2 import dpop
from oidc_server.oauth2.vocabulary import ApiScope, Scope
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response, public_json

_MAX_AGE = 3600


def oauth_protected_resource(ctx: Context) -> Response:
    return public_json(ctx.runtime.resource_metadata, max_age=_MAX_AGE)


def resource_below_us(ctx: Context) -> Response:
    """The metadata of a resource server whose identifier is the issuer's and this path."""
    issuer = ctx.runtime.issuer
    resource = resources.find(ctx.db, f"{issuer}/{ctx.incoming.path_params['path']}")
    if resource is None:
        raise NotFoundError
    found = _described(issuer, resource.identifier, resource.name, sorted(resource.scopes))
    return public_json(orjson.dumps(found), max_age=_MAX_AGE)


def document(issuer: str, jwks_uri: str, name: str) -> bytes:
    """The metadata of ourselves as a resource: its identifier is the issuer's."""
    of_userinfo = [scope for scope in STANDARD_SCOPES if scope != Scope.OFFLINE_ACCESS]
    found = _described(issuer, issuer, name, [*of_userinfo, *ApiScope])
    return orjson.dumps({**found, "jwks_uri": jwks_uri})


def _described(issuer: str, identifier: str, name: str, scopes: list[str]) -> dict[str, Any]:
    """RFC 9728 §2. All of them go through the same check of tokens and proofs."""
    return {
        "resource": identifier,
        "authorization_servers": [issuer],
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        "resource_name": name,
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        "dpop_bound_access_tokens_required": False,
    }
