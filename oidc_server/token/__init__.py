"""The token endpoint, introspection and revocation: what a client says to us without a browser.

Read `endpoint.py`, then a grant (`authorization_code.py` first), then what mints: `issuing.py`,
`token_scopes.py` and `id_token.py`. To add a grant, write its module and add it to `GRANTS`;
discovery follows by itself.
"""

from oidc_server.oauth2.pkce import S256
from oidc_server.oauth2.server import GrantTable
from oidc_server.token.authorization_code import AuthorizationCodeGrant
from oidc_server.token.client_credentials import ClientCredentialsGrant
from oidc_server.token.device_code import DeviceCodeGrant
from oidc_server.token.jwt_bearer import JWTBearerGrant
from oidc_server.token.password import PasswordGrant
from oidc_server.token.refresh_token import RefreshTokenGrant
from oidc_server.token.token_exchange import TokenExchangeGrant

GRANTS: GrantTable = [
    (AuthorizationCodeGrant, [S256()]),
    (RefreshTokenGrant, []),
    (ClientCredentialsGrant, []),
    (PasswordGrant, []),
    (DeviceCodeGrant, []),
    (JWTBearerGrant, []),
    (TokenExchangeGrant, []),
]
