"""How long sessions, links and what is to be deleted last."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from oidc_server.settings.model.group import Group, not_below_idle
from oidc_server.settings.values import Duration, between


class SessionSettings(Group):
    """Sessions, mailed links and graces."""

    session_idle_lifetime: Annotated[Duration, between("1m", "400d")] = timedelta(hours=12)
    """A browser session ends when it is unused for this long."""

    session_absolute_lifetime: Annotated[
        Duration, between("1m", "400d"), AfterValidator(not_below_idle)
    ] = timedelta(days=30)
    """A browser session ends after this time in any case."""

    sessions_per_user: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Maximum number of sessions of one person; the least recently used one is ended for a new
    one."""

    link_lifetime: Annotated[Duration, between("1m", "7d")] = timedelta(hours=1)
    """How long a mailed link works."""

    mailed_code_lifetime: Annotated[Duration, between("1m", "1h")] = timedelta(minutes=10)
    """How long a mailed code works, which can be typed instead of using the link."""

    email_undo_lifetime: Annotated[Duration, between("1h", "90d")] = timedelta(days=7)
    """How long a change of the e-mail address can be undone with the link that is mailed to the old
    address."""

    account_deletion_grace: Annotated[Duration, between("0s", "400d")] = timedelta(days=14)
    """An account whose owner deletes it is closed at once, and deleted after this time unless they
    sign in again; `0` deletes it at once."""
