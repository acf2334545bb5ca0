"""The files of this repository, as git knows them."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked_files(folder: str = "") -> list[Path]:
    """Return every file under version control below `folder`, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    paths = [Path(name) for name in listed.split("\0") if name.startswith(folder)]
    return [path for path in paths if (ROOT / path).is_file()]


def tracked_modules() -> list[Path]:
    """Return the modules of the package under version control, relative to the root."""
    return [path for path in tracked_files("oidc_server/") if path.suffix == ".py"]


def read(path: Path | str) -> str:
    """Return the text of a file that is given relative to the root."""
    return (ROOT / path).read_text(encoding="utf-8")
