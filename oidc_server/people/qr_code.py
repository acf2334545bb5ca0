"""QR codes as what a page draws: the one home of segno."""

from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class QrCode:
    """A square of `size` by `size` units, and an SVG path of its dark ones: rows as strokes."""

    size: int
    path: str


def draw(text: str) -> QrCode:
    """The code that says `text`, without the quiet zone: the page leaves room around it."""
    import segno  # noqa: PLC0415 - one page needs it

    rows = segno.make(text, error="m").matrix
    path = "".join(f"M0 {y}.5{_strokes(row)}" for y, row in enumerate(rows))
    return QrCode(len(rows), path)


def _strokes(row: bytearray) -> str:
    """One row, as moves over light units and lines over dark ones."""
    runs = ((dark, len(list(run))) for dark, run in groupby(row))
    return "".join(f"{'h' if dark else 'm'}{length}{'' if dark else ' 0'}" for dark, length in runs)
