"""How long something that a command makes may live, as an option says it."""

from datetime import timedelta
from typing import Annotated

import typer

from oidc_server.settings.values import parse_duration

_OPTION = "--expires"
Expires = Annotated[str, typer.Option(_OPTION, help="Its lifetime, such as 12h or 30d.")]


def read_lifetime(text: str, longest: timedelta) -> timedelta:
    """The lifetime; raises `typer.BadParameter` for one that is none, or too long."""
    try:
        lifetime = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=_OPTION) from None
    if not timedelta() < lifetime <= longest:
        raise typer.BadParameter(f"choose at most {longest.days}d", param_hint=_OPTION)
    return lifetime
