"""The limit of open files and connections per process: raised to what the settings need."""

import resource

from oidc_server.settings import Settings

_OTHERS = 256
"""Descriptors that a worker needs beside client connections: database, log files, outbound."""


def raise_limit(settings: Settings) -> None:
    """Raise the soft limit of this process and its workers as far as needed and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = min(_needed(settings), _number(hard))
    if allowed > _number(soft):
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def shortage(settings: Settings) -> str | None:
    """A warning for the operator if even the hard limit is too low, else None."""
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
