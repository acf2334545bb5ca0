"""How long sessions, links and what is to be deleted last."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from oidc_server.settings.model.group import Group, not_below_idle
from oidc_server.settings.values import Duration, between


class SessionSettings(Group):
    """Sessions, mailed links and graces."""

    session_idle_lifetime: Annotated[Duration, between("1m", "400d")] = timedelta(hours=12)
    """A browser session ends when unused for so long."""

    session_absolute_lifetime: Annotated[
        Duration, between("1m", "400d"), AfterValidator(not_below_idle)
    ] = timedelta(days=30)
    """A browser session ends after so long in any case."""

    sessions_per_user: Annotated[int, Field(ge=1, le=10_000)] = 100
    """One person is signed in to so many browsers at most; the one used longest ago makes room."""

    link_lifetime: Annotated[Duration, between("1m", "7d")] = timedelta(hours=1)
    """A mailed link works for so long."""

    mailed_code_lifetime: Annotated[Duration, between("1m", "1h")] = timedelta(minutes=10)
    """A mailed code, which is typed instead of using the link, works for so long."""

    email_undo_lifetime: Annotated[Duration, between("1h", "90d")] = timedelta(days=7)
    """Whoever reads the address that an account had can take its change back for so long."""

    account_deletion_grace: Annotated[Duration, between("0s", "400d")] = timedelta(days=14)
    """An account whose owner wants it deleted is shut at once, and deleted after so long, unless
    they sign in again; `0` deletes it at once."""
