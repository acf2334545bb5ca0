"""/.well-known/oauth-protected-resource: who protects userinfo and our API, and how (RFC 9728)."""

import orjson

from oidc_server.domain.client_metadata import STANDARD_SCOPES
from oidc_server.oauth2 import dpop
from oidc_server.oauth2.vocabulary import ApiScope, Scope
from oidc_server.web.context import Context
from oidc_server.web.responses import Response, public_json

_MAX_AGE = 3600


def oauth_protected_resource(ctx: Context) -> Response:
    return public_json(ctx.runtime.resource_metadata, max_age=_MAX_AGE)


def document(issuer: str, jwks_uri: str, name: str) -> bytes:
    """The metadata of ourselves as a resource (RFC 9728 §2): its identifier is the issuer's."""
    return orjson.dumps(
        {
            "resource": issuer,
            "authorization_servers": [issuer],
            "jwks_uri": jwks_uri,
            "scopes_supported": [
                *[scope for scope in STANDARD_SCOPES if scope != Scope.OFFLINE_ACCESS],
                *ApiScope,
            ],
            "bearer_methods_supported": ["header"],
            "resource_name": name,
            "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
            "dpop_bound_access_tokens_required": False,
        }
    )
