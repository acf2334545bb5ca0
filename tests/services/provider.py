"""Another provider, on loopback, that signs people in as it is told, and lies as it is told."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwk, jws
from joserfc.jwk import ECKey, OctKey

from tests.services.external_service import ExternalService, external_service, saying

ALGORITHMS = ["ES256", "HS256", "none"]


def new_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


@dataclass
class Provider:
    """What it says; tests change it between one step and the next."""

    now: Callable[[], float]
    client_id: str = "us"
    client_secret: str = "its secret: with + signs & more"
    sub: str = "ada-there"
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID Token, instead of the right ones; None leaves one out."""
    answer: dict[str, Any] = field(default_factory=dict)
    """Members of the token response, instead of the right ones."""
    userinfo: dict[str, Any] | None = None
    key: ECKey = field(default_factory=lambda: new_key("first"))
    published: list[ECKey] | None = None
    alg: str = "ES256"
    down: set[str] = field(default_factory=set)
    """Paths that answer 503."""
    nonces: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    """The parameters of every authorization request, the latest last."""
    running: ExternalService | None = None

    @property
    def issuer(self) -> str:
        assert self.running is not None
        return f"http://127.0.0.1:{self.running.port}"

    def authorize(self, url: str, **changes: str | None) -> str:
        """What a browser is sent back with after signing in: the query of our callback."""
        assert url.startswith(self.issuer + "/authorize?"), url
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(asked)
        code = f"code-{len(self.nonces)}"
        self.nonces[code] = asked["nonce"]
        answer = {"code": code, "state": asked["state"], "iss": self.issuer, **changes}
        return urlencode({name: value for name, value in answer.items() if value is not None})

    def paths_asked(self, path: str) -> int:
        assert self.running is not None
        return sum(one[1].partition("?")[0] == path for one in self.running.asked)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        if path in self.down:
            saying(b"{}", status=503)(handler)
            return
        if path == "/authorize":
            self._send_back(handler)
            return
        status, document = self._answers(path)
        saying(json.dumps(document).encode(), status=status)(handler)

    def _send_back(self, handler: BaseHTTPRequestHandler) -> None:
        """Everybody is signed in here already."""
        query = self.authorize(self.issuer + handler.path)
        handler.send_response(303)
        handler.send_header("Location", f"{self.asked[-1]['redirect_uri']}?{query}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _answers(self, path: str) -> tuple[int, dict[str, Any]]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._published()
            case "/jwks":
                keys = [self.key] if self.published is None else self.published
                return 200, {"keys": [key.as_dict(private=False) for key in keys]}
            case "/token":
                return self._redeem()
            case "/userinfo":
                return 200, {"sub": self.sub} if self.userinfo is None else self.userinfo
        return 404, {}

    def _published(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ALGORITHMS,
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def _redeem(self) -> tuple[int, dict[str, Any]]:
        assert self.running is not None
        form = dict(parse_qsl(self.running.asked[-1][3].decode()))
        nonce = self.nonces.pop(form.get("code", ""), None)
        if nonce is None:
            return 400, {"error": "invalid_grant", "error_description": 'no "such" code'}
        tokens = {"access_token": "theirs", "token_type": "Bearer", "id_token": self.sign(nonce)}
        return 200, {**tokens, **self.answer}

    def sign(self, nonce: str) -> str:
        now = int(self.now())
        claims = {
            "iss": self.issuer,
            "sub": self.sub,
            "aud": self.client_id,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": nonce,
            **self.claims,
            **self.token,
        }
        payload = json.dumps({key: value for key, value in claims.items() if value is not None})
        if self.alg == "none":
            head = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            return f"{head}.{urlsafe_b64encode(payload.encode()).rstrip(b'=').decode()}."
        key: jwk.Key = self.key
        if self.alg == "HS256":
            key = OctKey.import_key(self.client_secret)
        header = {"alg": self.alg, "kid": self.key.kid}
        return jws.serialize_compact(header, payload, key, algorithms=[self.alg])


@contextmanager
def running_provider(now: Callable[[], float] = time.time) -> Iterator[Provider]:
    """Run one in threads of this process."""
    provider = Provider(now)
    with external_service(provider.serve) as provider.running:
        yield provider
