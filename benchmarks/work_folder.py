"""A folder for what a measurement leaves lying about."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def work_folder(name: str) -> Iterator[Path]:
    """An empty folder whose name begins with `oidc-` and `name`; it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"oidc-{name}-"))
    folder.chmod(0o711)  # a PostgreSQL server cannot run as root, so another user comes by
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
