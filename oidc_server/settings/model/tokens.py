"""How long tokens last, and how they are signed."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator

from oidc_server.settings.model.group import Group, not_below_idle
from oidc_server.settings.values import Duration, between


class TokenSettings(Group):
    """Requests, codes, tokens and keys."""

    authorization_request_lifetime: Annotated[Duration, between("1m", "1d")] = timedelta(minutes=15)
    """Time to sign in and consent."""

    pushed_request_lifetime: Annotated[Duration, between("5s", "10m")] = timedelta(minutes=1)
    """Time to send the browser with a request that was pushed (RFC 9126)."""

    authorization_code_lifetime: Annotated[Duration, between("1s", "10m")] = timedelta(minutes=1)
    """Time to redeem an authorization code."""

    device_code_lifetime: Annotated[Duration, between("1m", "30m")] = timedelta(minutes=10)
    """Time to type the code of a device, sign in and allow it."""

    access_token_lifetime: Annotated[Duration, between("1s", "1d")] = timedelta(minutes=10)
    """Access tokens cannot be recalled everywhere at once: keep this short."""

    access_token_alg: Literal["ES256", "RS256", "PS256", "EdDSA"] = "ES256"
    """Signs access tokens."""

    id_token_lifetime: Annotated[Duration, between("1s", "1d")] = timedelta(minutes=10)
    """Time within which an application must accept an ID Token."""

    refresh_token_idle_lifetime: Annotated[Duration, between("1m", "400d")] = timedelta(days=14)
    """A refresh token ends when unused for so long."""

    refresh_token_absolute_lifetime: Annotated[
        Duration, between("1m", "400d"), AfterValidator(not_below_idle)
    ] = timedelta(days=30)
    """Refreshing ends after so long in any case."""

    refresh_token_grace: Annotated[Duration, between("0s", "60s")] = timedelta(seconds=10)
    """Within it, a refresh token presented again gets the same successor instead of an alarm."""

    leeway: Annotated[Duration, between("0s", "60s")] = timedelta(seconds=2)
    """Difference between two clocks that is forgiven."""

    key_rotation_interval: Annotated[Duration, between("1d", "400d")] = timedelta(days=90)
    """Signing keys are replaced so often."""
