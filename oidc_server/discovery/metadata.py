"""/.well-known/openid-configuration and oauth-authorization-server (Discovery §3, RFC 8414 §2)."""

from collections.abc import Iterable
from typing import Any

import orjson

from oidc_server import languages
from oidc_server.domain.claims import CLAIMS_SUPPORTED
from oidc_server.domain.client_metadata import (
    ASYMMETRIC_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    ENCRYPTION_METHODS,
    STANDARD_SCOPES,
)
from oidc_server.oauth2 import dpop
from oidc_server.oauth2.client_authentication import ASSERTION_ALGORITHMS, METHODS
from oidc_server.oauth2.vocabulary import ACR_VALUES, Display, ResponseMode, prompts
from oidc_server.security.jose import ALGORITHMS
from oidc_server.web.context import Context
from oidc_server.web.responses import Response, public_json

_MAX_AGE = 3600
_LOGOUT = (
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
)


def openid_configuration(ctx: Context) -> Response:
    """The same document at both addresses; it changes with the settings only."""
    return public_json(ctx.runtime.metadata, max_age=_MAX_AGE)


def document(
    issuer: str,
    endpoints: dict[str, str],
    grant_types: Iterable[str],
    *,
    sign_up_open: bool = True,
    require_par: bool = False,
) -> bytes:
    """The metadata of this server; `endpoints` maps names of RFC 8414 to addresses."""
    capabilities = _capabilities(grant_types) | {
        "prompt_values_supported": sorted(prompts(sign_up_open=sign_up_open)),
        "require_pushed_authorization_requests": require_par,
    }
    return orjson.dumps({"issuer": issuer, **endpoints, **capabilities})


def _capabilities(grant_types: Iterable[str]) -> dict[str, Any]:
    return {
        "response_types_supported": ["code"],
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "authorization_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": list(grant_types),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "id_token_encryption_alg_values_supported": list(ENCRYPTION_ALGORITHMS),
        "id_token_encryption_enc_values_supported": list(ENCRYPTION_METHODS),
        "userinfo_signing_alg_values_supported": list(ALGORITHMS),
        "userinfo_encryption_alg_values_supported": list(ENCRYPTION_ALGORITHMS),
        "userinfo_encryption_enc_values_supported": list(ENCRYPTION_METHODS),
        "scopes_supported": list(STANDARD_SCOPES),
        "claims_supported": list(CLAIMS_SUPPORTED),
        "claim_types_supported": ["normal"],
        "acr_values_supported": list(ACR_VALUES),
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": [
            method for method in METHODS if method != "none"
        ],
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        **dict.fromkeys(_LOGOUT, True),
        "introspection_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "request_object_signing_alg_values_supported": list(ASYMMETRIC_ALGORITHMS),
        "ui_locales_supported": list(languages.SUPPORTED),
        "display_values_supported": [display.value for display in Display],
    }
