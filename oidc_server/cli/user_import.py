"""`oidc-server users import`: people who had an account elsewhere, with their passwords."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from oidc_server.cli.files import opened
from oidc_server.cli.output import Json, fail, show
from oidc_server.cli.workshop import Workshop, workshop
from oidc_server.domain import profiles, users
from oidc_server.domain.audit import Event
from oidc_server.domain.base import DomainError
from oidc_server.security import passwords
from oidc_server.security.jose import parse_json_object

_OWN = ("username", "email", "email_verified", "password_hash", "phone_number_verified")
_KNOWN = frozenset((*_OWN, *profiles.CLAIMS))
_MOST_SHOWN = 20


def import_users(
    file: Annotated[Path, typer.Argument(help="One JSON object per line; - is standard input.")],
    *,
    as_json: Json = False,
) -> None:
    """Make accounts from a file.

    A line may hold username, email, email_verified, password_hash and the claims of a profile.
    Hashes of bcrypt, PBKDF2, scrypt and Argon2 are taken as Django, passlib, Werkzeug and PHP write
    them; the first sign-in replaces them. If a line cannot be taken, nothing is.
    """
    lines = list(_read(file, as_json=as_json))
    problems: list[str] = []
    count = 0
    with workshop() as tools:
        for number, line in lines:
            try:
                with tools.db.savepoint():
                    _make(tools, parse_json_object(line))
                count += 1
            except (DomainError, ValueError) as error:
                problems.append(f"line {number}: {error}")
        if problems:
            shown = problems[:_MOST_SHOWN]
            if len(problems) > len(shown):
                shown.append(f"and {len(problems) - len(shown)} more lines")
            fail("\n".join(["Nothing was imported.", *shown]), as_json=as_json)
    show({"imported": count}, as_json=as_json)


def _read(file: Path, *, as_json: bool) -> Iterator[tuple[int, bytes]]:
    try:
        with opened(file) as source:
            data = source.read()
    except OSError as error:
        fail(f"{file}: {error.strerror}", as_json=as_json)
    for number, line in enumerate(data.splitlines(), start=1):
        if line.strip():
            yield number, line


def _make(tools: Workshop, fields: dict[str, Any]) -> None:
    unknown = sorted(fields.keys() - _KNOWN)
    if unknown:
        raise ValueError(f"{unknown[0]} is not known here")
    encoded = fields.get("password_hash")
    if encoded is not None:
        encoded = passwords.check_importable(_text(fields, "password_hash"))
    user = users.create(
        tools.db,
        username=_text(fields, "username"),
        email=_text(fields, "email") if fields.get("email") else None,
        name=_text(fields, "name") if fields.get("name") else None,
        password_hash=encoded,
        now=tools.now,
        email_verified=_truth(fields, "email_verified"),
    )
    users.edit(
        tools.db,
        user.id,
        {claim: fields[claim] for claim in profiles.CLAIMS if fields.get(claim) is not None},
        tools.now,
        phone_number_verified=_truth(fields, "phone_number_verified") or None,
    )
    tools.record(Event.USER_CREATED, user_id=user.id, imported=True)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is to be a text")  # noqa: TRY004 - a mistake of the file
    return value


def _truth(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool | None):
        raise ValueError(f"{name} is to be true or false")  # noqa: TRY004 - as above
    return value is True
