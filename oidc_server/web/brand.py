"""The looks that an operator chose: from one colour all that depend on it, each legible (WCAG 2.2).

What a brand may not change, because it carries meaning, is everything else.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from oidc_server.settings import Settings
from oidc_server.settings.branding import logo_type

Color = tuple[int, int, int]

TEXT = 4.5
"""The contrast that text needs (WCAG 2.2 §1.4.3)."""
SHAPES = 3.0
"""The contrast of a button with what is behind it (WCAG 2.2 §1.4.11)."""

_WHITE: Color = (255, 255, 255)
_BLACK: Color = (0, 0, 0)
# Where links stand, in static/css/id.css: --surface and --canvas.
_LIGHT: tuple[Color, ...] = (_WHITE, (0xF3, 0xF6, 0xF6))
_DARK: tuple[Color, ...] = ((0x14, 0x20, 0x24), (0x0D, 0x15, 0x18))
_TINT_LIGHT, _TINT_DARK = 0.10, 0.22
_STEPS = 100


@dataclass(frozen=True, slots=True)
class Colors:
    """What is filled and what is a link, for light and for dark: as in static/css/id.css."""

    accent: str = "#0b5d71"
    accent_dark: str = "#1c768a"
    link: str = "#0b5d71"
    link_dark: str = "#86d3e3"


@dataclass(frozen=True, slots=True)
class Brand:
    """What templates know of it: addresses of ours for logo and style, of others for the rest."""

    name: str
    logo: str | None = None
    style: str | None = None
    help: str | None = None
    privacy: str | None = None
    terms: str | None = None
    colors: Colors = Colors()
    """For mails, which take no style sheet along."""


def files(settings: Settings) -> dict[str, tuple[str, bytes]]:
    """Name, media type and content of what the brand adds to the static files."""
    found: dict[str, tuple[str, bytes]] = {}
    if settings.brand_logo is not None:
        body = settings.brand_logo.read_bytes()
        kind = logo_type(settings.brand_logo, body) or "application/octet-stream"
        found[f"logo{settings.brand_logo.suffix.lower()}"] = (kind, body)
    if settings.brand_color is not None:
        sheet = style(settings.brand_color).encode("ascii")
        found["brand.css"] = ("text/css; charset=utf-8", sheet)
    return found


def style(color: str) -> str:
    """The sheet for one colour: darkened or lightened where it could not be read otherwise."""
    found, (tint_light, tint_dark) = colors(color), _tints(_parse(color))
    return f"""@layer brand {{
:root {{
  --accent: light-dark({found.accent}, {found.accent_dark});
  --on-accent: #fff;
  --link: light-dark({found.link}, {found.link_dark});
  --tint: light-dark({_written(tint_light)}, {_written(tint_dark)});
}}
}}
"""


def colors(color: str | None) -> Colors:
    """What one colour makes of buttons and links; ours without one."""
    if color is None:
        return Colors()
    chosen = _parse(color)
    tint_light, tint_dark = _tints(chosen)
    accent = _until(chosen, _BLACK, [_WHITE])
    return Colors(
        accent=_written(accent),
        accent_dark=_written(_until(accent, _WHITE, _DARK, SHAPES)),
        link=_written(_until(chosen, _BLACK, [*_LIGHT, tint_light])),
        link_dark=_written(_until(chosen, _WHITE, [*_DARK, tint_dark])),
    )


def _tints(chosen: Color) -> tuple[Color, Color]:
    return _mix(_WHITE, chosen, _TINT_LIGHT), _mix(_DARK[0], chosen, _TINT_DARK)


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21 (WCAG 2.2, contrast ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _until(color: Color, towards: Color, on: Iterable[Color], least: float = TEXT) -> Color:
    """The colour itself, or the first on its way to black or white that stands out on all."""
    grounds = list(on)
    mixed = (_mix(color, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(one for one in mixed if all(contrast(one, ground) >= least for ground in grounds))


def _luminance(color: Color) -> float:
    parts = [part / 255 for part in color]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(one: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _parse(color: str) -> Color:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def _written(color: Color) -> str:
    return "#" + bytes(color).hex()
