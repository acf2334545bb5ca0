"""What others wrote and our pages show is what they published, with their licences."""

import gzip
from hashlib import sha256
from pathlib import Path

import pytest

from tests.project.repository import ROOT, read, tracked_files

VENDOR = Path("static/vendor")
FILES = [path for path in tracked_files(f"{VENDOR}/") if path.parent != VENDOR]
SUMS = {
    name: digest
    for digest, name in (line.split("  ") for line in read(VENDOR / "SHA256SUMS").splitlines())
}
OURS, THEIRS = b"data:,logo-mini", b"https://cdn.redoc.ly/redoc/logo-mini"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_vendored_file_is_the_published_one(path: Path) -> None:
    body = (ROOT / path).read_bytes()
    name = path.relative_to(VENDOR).as_posix()
    if path.suffix == ".gz":
        body = gzip.decompress(body).replace(OURS, THEIRS)

    assert sha256(body).hexdigest() == SUMS[name.removesuffix(".gz")]


def test_every_digest_is_that_of_a_file_and_every_folder_has_its_licence() -> None:
    names = {path.relative_to(VENDOR).as_posix().removesuffix(".gz") for path in FILES}
    folders = {path.parent for path in FILES}

    assert set(SUMS) == names
    assert {folder for folder in folders if folder / "LICENSE" not in FILES} == set()
