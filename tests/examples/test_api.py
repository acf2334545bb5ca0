"""Every line in docs/api.md does what it says, one after the other."""

import shutil
from pathlib import Path

import pytest

from tests.examples.reading import Reader, page, parts
from tests.examples.running import running_place

pytestmark = pytest.mark.slow

TEXT = page("api.md")


def test_every_line_works_in_the_order_of_the_page(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    with running_place(tmp_path) as place:
        reader = Reader(place, {"ISSUER": place.issuer})
        reader.register(TEXT, "ADMIN", "DOCUMENTATION")

        for part in parts(TEXT).values():
            reader.follow(part)

    ben = next(answer for answer in reader.answers if "username" in answer)
    assert ben["id"] == reader.variables["USER_ID"]
    assert reader.answers[-1]["balance"] == "10.00"
