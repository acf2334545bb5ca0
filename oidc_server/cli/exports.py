"""`oidc-server export` and `import`: people and applications as lines of JSON."""

from pathlib import Path
from typing import Annotated

import typer

from oidc_server.cli.files import new_file, opened
from oidc_server.cli.output import Json, show
from oidc_server.cli.workshop import workshop
from oidc_server.domain.audit import Event
from oidc_server.transfer import portable
from oidc_server.transfer.reading import reading

_File = Annotated[Path, typer.Argument(help="The file; - is standard output or input.")]


def export(
    file: _File,
    *,
    with_password_hashes: Annotated[
        bool, typer.Option("--with-password-hashes", help="Include the hashes of passwords.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write people and applications as lines of JSON.

    Roles, resources and the digests of secrets of applications go along; sessions, tokens, second
    factors and credits stay. To move everything, use backup.
    """
    with workshop() as tools:
        tools.record(Event.EXPORTED, with_password_hashes=with_password_hashes)
        database = tools.database
    count = 0
    with reading(database) as source, new_file(file) as into:
        for line in portable.export(source, password_hashes=with_password_hashes):
            into.write(line)
            count += 1
    if str(file) != "-":
        show({"file": str(file), "lines": count}, as_json=as_json)


def import_lines(file: _File, *, as_json: Json = False) -> None:
    """Import what export wrote; it can be repeated.

    What is there already, alike, stays. If a line is wrong, or differs from what is there, nothing
    is taken in, and every such line is named.
    """
    with workshop() as tools, opened(file) as lines:
        taken = portable.take_in(tools.db, lines)
        if taken.added:
            tools.record(Event.IMPORTED, added=taken.added)
    show(
        {
            "added": sum(taken.added.values()),
            "unchanged": taken.unchanged,
            **{f"added_{name}": number for name, number in taken.added.items()},
        },
        as_json=as_json,
    )
