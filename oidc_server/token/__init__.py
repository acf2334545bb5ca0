"""The token endpoint, introspection and revocation: what a client says to us without a browser.

Read `endpoint.py`, then a grant (`authorization_code.py` first), then what mints: `issuer.py` and
`id_token.py`. To add a grant, write its module and add it to `GRANTS`; discovery follows by itself.
"""

from ..oauth2.pkce import S256
from ..oauth2.server import GrantTable
from .authorization_code import AuthorizationCodeGrant
from .client_credentials import ClientCredentialsGrant
from .password import PasswordGrant
from .refresh_token import RefreshTokenGrant

GRANTS: GrantTable = [
    (AuthorizationCodeGrant, [S256()]),
    (RefreshTokenGrant, []),
    (ClientCredentialsGrant, []),
    (PasswordGrant, []),
]
