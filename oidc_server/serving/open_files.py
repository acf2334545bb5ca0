"""How many files and connections the system lets a process open, beside how many it needs."""

import resource

from oidc_server.settings import Settings

_OTHERS = 256
"""What a worker opens beside connections of clients: database, neighbours, logs, modules."""


def raise_limit(settings: Settings) -> None:
    """Let this process and its workers open what they need, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = min(_needed(settings), _number(hard))
    if allowed > _number(soft):
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def shortage(settings: Settings) -> str | None:
    """What the operator should do if even the hard limit is too small."""
    hard = _number(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    if hard >= _needed(settings):
        return None
    return (
        f"A process may open {hard} files, and OIDC_MAX_CONNECTIONS={settings.max_connections}"
        f" takes {_needed(settings)}; raise the hard limit (ulimit -Hn, LimitNOFILE of systemd)"
        " or lower the setting."
    )


def _needed(settings: Settings) -> int:
    return settings.max_connections + _OTHERS


def _number(limit: int) -> int:
    return 2**62 if limit == resource.RLIM_INFINITY else limit
