"""A password that an operator gives to somebody: the rules of the pages, and its hash."""

import sys
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer

from oidc_server.cli.output import fail
from oidc_server.outbound.leaked_passwords import LeakedPasswords
from oidc_server.security import passwords
from oidc_server.security.passwords import PasswordHasher, UnknownHashError
from oidc_server.settings import Settings, load

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
PasswordHashStdin = Annotated[
    bool,
    typer.Option(
        "--password-hash-stdin",
        help="Read a password hash of another system from standard input.",
    ),
]


def new_password_hash(
    known_by: Sequence[str], *, from_stdin: bool, made_elsewhere: bool, as_json: bool
) -> str:
    """Read a password, or a hash that was `made_elsewhere`, and return the hash to store.

    It is called before a transaction begins: judging and hashing take their time.
    """
    if made_elsewhere:
        try:
            return passwords.check_importable(_read_line(as_json=as_json))
        except UnknownHashError as error:
            fail(str(error), as_json=as_json)
    settings = load()
    password = _read_password(from_stdin=from_stdin, as_json=as_json)
    while (problem := _problem(settings, password, known_by)) is not None:
        minimum = settings.password_min_length
        known = f" (at least {minimum} characters)" if problem == "too_short" else ""
        told = f"The password cannot be used: {problem.replace('_', ' ')}{known}."
        if from_stdin:
            fail(told, as_json=as_json)
        typer.echo(told, err=True)  # somebody at a terminal can think of another one
        password = _read_password(from_stdin=False, as_json=as_json)
    hasher = PasswordHasher(
        settings.argon2_time_cost, settings.argon2_memory_kib, settings.argon2_parallelism
    )
    return hasher.hash(password)


def _problem(settings: Settings, password: str, known_by: Sequence[str]) -> str | None:
    problem = passwords.problems(
        password,
        minimum=settings.password_min_length,
        context=[*known_by, settings.brand_name],
        site=urlsplit(settings.issuer).hostname or "",
    )
    if problem is None:
        leaked = LeakedPasswords(settings)
        if leaked.is_listed(password) or leaked.is_known_elsewhere(password):
            return "breached"
    return problem


def _read_password(*, from_stdin: bool, as_json: bool) -> str:
    if from_stdin:
        return _read_line(as_json=as_json)
    if not sys.stdin.isatty():
        fail("Send the password on standard input and say --password-stdin.", as_json=as_json)
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


def _read_line(*, as_json: bool) -> str:
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        fail("The password on standard input is not UTF-8.", as_json=as_json)
