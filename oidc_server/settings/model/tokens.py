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
    """Time to send the browser with a pushed authorization request (RFC 9126)."""

    authorization_code_lifetime: Annotated[Duration, between("1s", "10m")] = timedelta(minutes=1)
    """Time to redeem an authorization code."""

    device_code_lifetime: Annotated[Duration, between("1m", "30m")] = timedelta(minutes=10)
    """Time to type the code of a device, sign in and allow it."""

    access_token_lifetime: Annotated[Duration, between("1s", "1d")] = timedelta(minutes=10)
    """Lifetime of access tokens. They cannot be revoked everywhere at once: keep this short."""

    access_token_alg: Literal["ES256", "RS256", "PS256", "EdDSA"] = "ES256"
    """Algorithm that signs access tokens."""

    id_token_lifetime: Annotated[Duration, between("1s", "1d")] = timedelta(minutes=10)
    """Lifetime of ID Tokens: time within which an application must accept one."""

    refresh_token_idle_lifetime: Annotated[Duration, between("1m", "400d")] = timedelta(days=14)
    """A refresh token ends when it is unused for this long."""

    refresh_token_absolute_lifetime: Annotated[
        Duration, between("1m", "400d"), AfterValidator(not_below_idle)
    ] = timedelta(days=30)
    """Refreshing ends after this time in any case."""

    refresh_token_grace: Annotated[Duration, between("0s", "60s")] = timedelta(seconds=10)
    """A refresh token that is presented again within this time gets the same successor, and is not
    taken for a replay."""

    leeway: Annotated[Duration, between("0s", "60s")] = timedelta(seconds=2)
    """Tolerated difference between two clocks."""

    key_rotation_interval: Annotated[Duration, between("1d", "400d")] = timedelta(days=90)
    """How often signing keys are replaced."""
