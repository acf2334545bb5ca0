"""Documents in a folder."""

from concurrent.futures import ThreadPoolExecutor

from oidc_server.dev.records import Records


def test_what_is_put_is_found_by_its_name_from_any_worker(tmp_path):
    Records(tmp_path / "new" / "folder").put("a-1", {"text": "Grüße"})

    assert Records(tmp_path / "new" / "folder").get("a-1") == {"text": "Grüße"}


def test_nobody_else_on_the_machine_can_read_it(tmp_path):
    Records(tmp_path / "folder").put("one", {})

    assert (tmp_path / "folder").stat().st_mode & 0o077 == 0
    assert (tmp_path / "folder" / "one.json").stat().st_mode & 0o077 == 0


def test_what_is_not_there_or_no_name_is_none(tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    records = Records(tmp_path / "folder")

    for name in ("missing", "", ".", "..", "../secret", "/etc/passwd", "a\0b", "ä", "x" * 300):
        assert records.get(name) is None
        assert records.take(name) is None


def test_one_of_many_takes_a_document(tmp_path):
    records = Records(tmp_path)
    records.put("one", {"number": 1})

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: Records(tmp_path).take("one"), range(8)))

    assert [document for document in taken if document is not None] == [{"number": 1}]
    assert records.get("one") is None
    assert records.names() == []


def test_only_the_newest_are_kept_in_order(tmp_path):
    records = Records(tmp_path, limit=3)

    for number in range(5):
        records.put(f"n{number}", {})

    assert records.names() == ["n4", "n3", "n2"]
