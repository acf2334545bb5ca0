"""The link that makes the first administrator, as it is printed."""

from oidc_server.domain.links import Purpose
from oidc_server.security.signed_links import LinkSigner
from oidc_server.settings import Settings


def setup_url(settings: Settings, link_id: str) -> str:
    """The address to open; it works once, and dies with the first administrator."""
    value = LinkSigner(settings.secret_keys).sign(Purpose.SET_UP, link_id)
    return f"{settings.issuer}/setup?link={value}"
