"""What an operator may say about the looks: checked when the settings are read."""

import re
from pathlib import Path
from urllib.parse import urlsplit

MAX_LOGO = 32 * 1024
"""It is on every page, and a page weighs 60 KB at most."""

_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<svg[\s>]", re.DOTALL)
_COLOR = re.compile(r"#[0-9a-f]{6}")


def check_color(value: str | None) -> str | None:
    """A colour such as `#6d1f4f`."""
    if value is None:
        return None
    if not _COLOR.fullmatch(value.lower()):
        raise ValueError("write a colour with six digits, such as #6d1f4f")
    return value.lower()


def check_logo(path: Path | None) -> Path | None:
    """The path of a picture that can be read, is small enough, and is what its name says."""
    if path is None:
        return None
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    if len(body) > MAX_LOGO:
        raise ValueError(f"is larger than {MAX_LOGO // 1024} KiB")
    if logo_type(path, body) is None:
        raise ValueError("give the file of a PNG or SVG picture, and name it .png or .svg")
    return path


def logo_type(path: Path, body: bytes) -> str | None:
    """The media type, if name and content agree on one."""
    match path.suffix.lower():
        case ".png" if body.startswith(_PNG):
            return "image/png"
        case ".svg" if _SVG.match(body):
            return "image/svg+xml"
    return None


def check_link(value: str | None) -> str | None:
    """The address of a page for people."""
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("write an address that begins with https://")
    return value
