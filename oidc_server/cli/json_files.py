"""JSON that an operator hands to a command in a file."""

from pathlib import Path
from typing import Any

import typer

from oidc_server.cli.files import opened
from oidc_server.security.jose import parse_json_object


def read_json(path: Path | None, option: str) -> dict[str, Any] | None:
    """The object in the file, or in standard input for `-`; None without a file.

    Raises `typer.BadParameter`, which names the option.
    """
    if path is None:
        return None
    try:
        with opened(path) as file:
            return parse_json_object(file.read())
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint=option) from None
    except ValueError:
        raise typer.BadParameter("the file holds no JSON object", param_hint=option) from None
