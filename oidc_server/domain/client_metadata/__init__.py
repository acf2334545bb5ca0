"""Client metadata (RFC 7591 §2): what a client may be and ask for, validated in one place.

`model.py` has the fields, `values.py` the words that they may hold, `rules.py` what is true of
each, `redirect_uris.py` which addresses may be registered and how they are compared, `names.py`
what people can read, `wire.py` how JSON carries them, `editing.py` what changes do. `for_type` is
where metadata come from.
"""

from oidc_server.domain.client_metadata.editing import edited
from oidc_server.domain.client_metadata.model import (
    ClientMetadata,
    ClientType,
    InvalidClientMetadataError,
    origin_of,
)
from oidc_server.domain.client_metadata.redirect_uris import (
    matches_redirect_uri,
    redirect_uri_problem,
)
from oidc_server.domain.client_metadata.rules import for_type, is_scope
from oidc_server.domain.client_metadata.values import (
    ASYMMETRIC_ALGORITHMS,
    AUTH_METHODS,
    ENCRYPTION_ALGORITHMS,
    ENCRYPTION_METHODS,
    FAPI_ALGORITHMS,
    GRANT_TYPES,
    STANDARD_SCOPES,
    GrantType,
    Scope,
)
from oidc_server.domain.client_metadata.wire import (
    MEMBERS,
    OPERATORS_FIELDS,
    Members,
    fields_of,
    member_types,
    members_of,
    type_of,
)

__all__ = [
    "ASYMMETRIC_ALGORITHMS",
    "AUTH_METHODS",
    "ENCRYPTION_ALGORITHMS",
    "ENCRYPTION_METHODS",
    "FAPI_ALGORITHMS",
    "GRANT_TYPES",
    "MEMBERS",
    "OPERATORS_FIELDS",
    "STANDARD_SCOPES",
    "ClientMetadata",
    "ClientType",
    "GrantType",
    "InvalidClientMetadataError",
    "Members",
    "Scope",
    "edited",
    "fields_of",
    "for_type",
    "is_scope",
    "matches_redirect_uri",
    "member_types",
    "members_of",
    "origin_of",
    "redirect_uri_problem",
    "type_of",
]
