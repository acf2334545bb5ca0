"""`oidc-server backup` and `restore`: one encrypted file with everything in it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from oidc_server import resources
from oidc_server.cli.alone import alone
from oidc_server.cli.backup_key import backup_key
from oidc_server.cli.files import new_file, opened
from oidc_server.cli.output import Json, fail, show
from oidc_server.cli.progress import progress
from oidc_server.clock import utc_now
from oidc_server.database import Database
from oidc_server.domain import audit, ledger
from oidc_server.domain.audit import COMMAND_LINE, Event
from oidc_server.security import age
from oidc_server.security.encryption import Vault
from oidc_server.settings import (
    Settings,
    SettingsError,
    add_secret_keys,
    keeps_own_secret,
    load,
)
from oidc_server.transfer import InUseError, TransferError, archive
from oidc_server.transfer.archive import Archive
from oidc_server.transfer.reading import reading
from oidc_server.transfer.restoring import Restored
from oidc_server.transfer.restoring import restore as restore_archive

_ANOTHER_SECRET = (
    "OIDC_SECRET_KEY: the backup is of a server with another secret; write that one into a file"
    " with: oidc-server restore FILE --secret-to secret.txt. Then put it into OIDC_SECRET_KEY,"
    " after the new one if there is a new one"
)
_File = Annotated[Path, typer.Argument(help="The file; - is standard output or input.")]


def backup(file: _File, *, as_json: Json = False) -> None:
    """Write everything into an encrypted file.

    The server goes on meanwhile. The file is encrypted as age does it, for OIDC_BACKUP_KEY, or
    with a passphrase that is asked for. The server's own secret is in it: file and key bring
    everything back on an empty machine.
    """
    if str(file) == "-" and sys.stdout.isatty():
        fail("A backup is nothing to look at: send it to a file.", as_json=as_json)
    settings = load()
    key = backup_key(settings, new=True)
    database = Database(settings.database_url)
    try:
        with reading(database) as source, progress("backup") as tell, new_file(file) as into:
            content = archive.write(
                source,
                issuer=settings.issuer,
                secrets=settings.secret_keys,
                now=utc_now(),
                progress=tell,
            )
            for piece in age.encrypt(content, key):
                into.write(piece)
            rows, version = source.count(), source.version
        if version == resources.newest_migration():  # an older log may have other columns
            with database.transaction("write") as db:
                audit.record(db, Event.BACKED_UP, origin=COMMAND_LINE, now=utc_now(), rows=rows)
    finally:
        database.close()
    if str(file) != "-":
        show({"file": str(file), "rows": rows, "schema": version}, as_json=as_json)


def restore(
    file: _File,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete what is in the database now.")
    ] = False,
    secret_to: Annotated[
        Path | None,
        typer.Option(help="Only write the secret of that server into this new file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Restore a backup; everybody has to sign in again.

    It goes into an empty database of either kind, on which no server may run. Every token, session,
    code and mailed link from before is dead, and new keys sign. If the file is damaged or anything
    fails, nothing is changed.
    """
    settings = load()
    key = backup_key(settings, new=False)
    with alone(settings), opened(file) as source:
        found = Archive(age.decrypt(source, key))
        if secret_to is not None:
            _write_secret(secret_to, found.head.secrets)
            show({"secret": str(secret_to)}, as_json=as_json)
            return
        done = _restore(settings, found, replace=replace)
    show(
        {
            "made_at": found.head.made_at,
            "rows": done.rows,
            "sessions_ended": done.ended.sessions,
            "grants_revoked": done.ended.grants,
            "links_withdrawn": done.ended.links,
            "mails_not_sent": done.ended.outbox,
            "ledger": tell_ledger(done.mismatches),
        },
        as_json=as_json,
    )


def _restore(settings: Settings, found: Archive, *, replace: bool) -> Restored:
    """Restore, and keep the secret of then.

    Raises `SettingsError` if ours is not in a file that we may add to: what is sealed in the
    database opens with the secret of then, and so it has to stay known.
    """
    missing = [secret for secret in found.head.secrets if secret not in settings.secret_keys]
    if missing and not keeps_own_secret(settings):
        raise SettingsError([_ANOTHER_SECRET])
    vault = Vault((*settings.secret_keys, *missing))

    def keep_secrets() -> None:
        if missing:
            add_secret_keys(settings.data_dir, missing)

    database = Database(settings.database_url)
    try:
        with progress("restore") as tell:
            return restore_archive(
                found,
                database,
                vault,
                utc_now(),
                tell,
                replace=replace,
                before_commit=keep_secrets,
            )
    except InUseError as error:
        raise TransferError(f"{error} --replace deletes all that is in it first.") from None
    finally:
        database.close()


def tell_ledger(mismatches: list[ledger.Mismatch]) -> str:
    """What is to be done where balances and entries differ, which no copying can cause."""
    if not mismatches:
        return "agrees"
    return f"{len(mismatches)} differences, as before: oidc-server credits reconcile"


def _write_secret(path: Path, secrets: list[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(secrets) + "\n")
