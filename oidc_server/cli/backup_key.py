"""The key of backups: from the settings, or from whoever sits at the terminal."""

import sys

import typer

from oidc_server.security import age
from oidc_server.settings import Settings, SettingsError

_HOW = "set OIDC_BACKUP_KEY_FILE to a file with a passphrase or a key of age-keygen"


def backup_key(settings: Settings, *, new: bool) -> age.Key:
    """The key; a passphrase for a new file is asked for twice. Raises `SettingsError`."""
    if settings.backup_key is not None:
        text = settings.backup_key.get_secret_value()
    elif sys.stdin.isatty():
        text = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    else:
        raise SettingsError([f"OIDC_BACKUP_KEY: is needed, as nobody can be asked; {_HOW}"])
    try:
        return age.parse_key(text)
    except ValueError as error:
        raise SettingsError([f"OIDC_BACKUP_KEY: {error}"]) from None
