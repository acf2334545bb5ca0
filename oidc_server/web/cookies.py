"""Cookies: their names and attributes."""

from dataclasses import dataclass
from datetime import timedelta

from oidc_server.web.incoming import Incoming
from oidc_server.web.responses import Response


@dataclass(frozen=True)
class CookieJar:
    """Cookies follow the issuer: `__Host-` and `Secure` on https, plain on loopback http."""

    secure: bool

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name

    def read(self, incoming: Incoming, name: str) -> str | None:
        return incoming.cookies.get(self._name(name)) or None

    def write(self, response: Response, name: str, value: str, lifetime: timedelta | None) -> None:
        """Set a cookie; without a lifetime it ends with the browser."""
        age = "" if lifetime is None else f"; Max-Age={int(lifetime.total_seconds())}"
        self._send(response, name, value, age)

    def remove(self, response: Response, name: str) -> None:
        self._send(response, name, "", "; Max-Age=0")

    def _send(self, response: Response, name: str, value: str, age: str) -> None:
        secure = "; Secure" if self.secure else ""
        response.with_header(
            "set-cookie",
            f"{self._name(name)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}",
        )


SESSION = "sid"
"""The handle of the browser session (`UserSession`)."""
BROWSER = "browser"
"""A random mark of this browser: forms and authorization requests are bound to it."""
TRUSTED = "trusted"
"""The mark of a browser that somebody trusts (`TrustedDevice`)."""
LANGUAGE = "language"
"""The language that was chosen in this browser."""
THEME = "theme"
"""The colours that were chosen in this browser: light or dark."""
PROVIDER = "provider"
"""The name of the provider that was last signed in with here (`IdentityProvider`)."""
LINK = "link"
"""The value of a mailed link between its click and its button."""
