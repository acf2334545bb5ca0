"""Whether another provider answers now, asked as a sign-in asks it."""

from oidc_server.clock import utc_now
from oidc_server.settings import Settings


def why_unusable(settings: Settings, name: str, issuer: str) -> str | None:
    """Why nobody can be sent to this provider now; None if people can. It blocks for seconds."""
    # As late as this, since few commands ask anybody.
    from oidc_server.oauth2.upstream import Upstream  # noqa: PLC0415 - see above
    from oidc_server.outbound.addresses import (  # noqa: PLC0415 - as above
        OutboundRefusedError,
        OutboundUnavailableError,
    )

    try:
        Upstream(settings, utc_now, name).look(issuer)
    except (OutboundRefusedError, OutboundUnavailableError) as error:
        return (
            f"Nobody can sign in with {name} now: {issuer} does not answer as a provider ({error})"
        )
    return None
