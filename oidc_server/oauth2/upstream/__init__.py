"""Sign-in with another provider: we are the client of somebody else (OpenID Connect Core §3.1).

Read `provider.py` first: where a browser is sent, and who signed in by what it brings back. It asks
through `client.py`, which is Authlib's client and what we registered, and `claims.py` says what is
believed of the ID Token.
"""

from oidc_server.oauth2.upstream.claims import LEEWAY, Told
from oidc_server.oauth2.upstream.client import Registration, UpstreamError
from oidc_server.oauth2.upstream.provider import Upstream, Upstreams

__all__ = ["LEEWAY", "Registration", "Told", "Upstream", "UpstreamError", "Upstreams"]
