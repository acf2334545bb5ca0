"""Named limits: what is counted, by whom, and how often is too often.

The route table says which address has which. How many of each a minute may have is in the settings
(`OIDC_RATE_LIMIT_…`), and counting is done by `limiter`.
"""

from dataclasses import dataclass

from oidc_server.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """A limit per minute; `name` is that of its setting, `OIDC_RATE_LIMIT_…`.

    There is one object of each, compared by identity, which makes looking up counts quicker.
    """

    name: str

    def per_minute(self, settings: Settings) -> int:
        """The number that the operator allows."""
        allowed: int = getattr(settings, f"rate_limit_{self.name}")
        return allowed


PAGES = Limit("pages")
"""Pages that a person reads and forms that they send."""
PASSAGES = Limit("passages")
"""Addresses that only redirect a browser; a sign-in passes several."""
MAILS = Limit("mails")
"""Forms that send a mail to an address that they name."""
TYPING = Limit("typing")
"""Requests that a script sends while somebody types."""
SIGN_UPS = Limit("sign_ups")
"""Sign-ups."""
REGISTRATIONS = Limit("registrations")
"""Clients that register themselves, or replace what they registered: the audit log keeps both."""
DEVICES = Limit("devices")
"""Devices that ask for a code; each request leaves a row."""
FAILURES = Limit("failures")
"""Failed authentications of clients and tokens. Only these: the back end of an application, which
has one address, is never throttled for working."""
SIGN_INS = Limit("sign_ins")
"""Failed sign-ins of people, of whatever account."""
CLIENTS = Limit("clients")
"""Requests of one client to endpoints for programs, once it is known who it is."""

LIMITS = (
    PAGES,
    PASSAGES,
    SIGN_INS,
    SIGN_UPS,
    MAILS,
    TYPING,
    REGISTRATIONS,
    DEVICES,
    FAILURES,
    CLIENTS,
)


@dataclass(frozen=True, slots=True)
class Quota:
    """The limit that is used up: its name, and how many it allows in a minute."""

    name: str
    per_minute: int


class TooManyRequestsError(Exception):
    """Too much was asked for; the adapter answers 429 with `Retry-After`.

    `quota` is the limit that is used up. It is None for the throttling of an account, whose numbers
    are not told.
    """

    def __init__(self, retry_after: int, quota: Quota | None = None) -> None:
        super().__init__(f"Retry after {retry_after} seconds.")
        self.retry_after = retry_after
        self.quota = quota


class CountNeeded(Exception):  # noqa: N818 - no error: it asks the adapter to count elsewhere
    """Raised to have the adapter count in Redis and run the handler again."""

    def __init__(self, limit: Limit, key: str) -> None:
        super().__init__(f"{limit.name} are to be counted")
        self.limit = limit
        self.key = key
