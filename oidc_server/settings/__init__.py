"""What an operator may choose, read once at the start and handed on.

Nobody else reads the environment, and no instance lives here: the command line calls `load()` and
passes the result. Read `model` for the settings by topic, `values` for what a single value may be,
`loading` for where values come from.
"""

from oidc_server.settings.loading import (
    DEFAULT_PORT,
    SettingsError,
    add_secret_keys,
    ensure_secret_key,
    keeps_own_secret,
    load,
)
from oidc_server.settings.model import SettingDescription, Settings, describe
from oidc_server.settings.values import SmtpServer

__all__ = [
    "DEFAULT_PORT",
    "SettingDescription",
    "Settings",
    "SettingsError",
    "SmtpServer",
    "add_secret_keys",
    "describe",
    "ensure_secret_key",
    "keeps_own_secret",
    "load",
]
