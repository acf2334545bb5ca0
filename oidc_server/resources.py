"""Where files that are not Python lie: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_dir() -> Path:
    """Folder of the Jinja templates."""
    return _find("templates")


def static_dir() -> Path:
    """Folder of the style sheets, scripts and images."""
    return _find("static")


def migrations_dir() -> Path:
    """Folder of the Alembic environment."""
    return _find("migrations")


def newest_migration() -> str:
    """The revision that a database must be at: migrations are numbered in their file names."""
    return max(file.name.partition("_")[0] for file in migrations_dir().glob("versions/[0-9]*.py"))


def _find(name: str) -> Path:
    """The wheel's copy first: beside an installed package may lie a stranger's folder."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
