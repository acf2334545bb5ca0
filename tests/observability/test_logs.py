"""The lines of the log."""

import asyncio
import io
import logging
import threading

import pytest
import sqlalchemy

from oidc_server.observability import current, logs
from tests.observability.reading import lines


class Terminal(io.StringIO):
    def isatty(self):
        return True


log = logs.get_logger("oidc_server.example")


def test_a_line_is_one_json_object_with_time_level_and_facts(stream):
    log.info("mail sent", attempt=2, kind="invite")

    [line] = lines(stream)
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "event": "mail sent",
        "attempt": 2,
        "kind": "invite",
        "level": "info",
        "logger": "oidc_server.example",
    }


def test_no_secret_gets_into_a_line(stream):
    log.info(
        "x password=hidden", code="hidden", headers={"cookie": "hidden"}, url="/cb?code=hidden"
    )

    assert "hidden" not in stream.getvalue()
    assert len(lines(stream)) == 1


def test_no_secret_gets_into_a_line_by_an_exception(stream):
    error = RuntimeError({"password": "hidden"})
    error.__cause__ = ValueError("client_secret=hidden")

    log.error("request failed", exc_info=error)

    [line] = lines(stream)
    assert "hidden" not in line["exception"]
    assert "ValueError: client_secret=***" in line["exception"]
    assert "RuntimeError: {'password': ***}" in line["exception"]


def test_values_of_a_failing_statement_stay_out_of_the_log(stream):
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        try:
            connection.execute(sqlalchemy.text("INSERT INTO no (a) VALUES (:a)"), {"a": "hidden"})
        except sqlalchemy.exc.OperationalError:
            log.exception("database failed")
    engine.dispose()

    [line] = lines(stream)
    assert "INSERT INTO no" in line["exception"]
    assert "('hidden'" not in line["exception"]


def test_statements_are_never_logged_not_even_when_everything_is():
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    engine = sqlalchemy.create_engine("sqlite://")

    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT :a"), {"a": "hidden"})
    engine.dispose()

    assert stream.getvalue() == ""


def test_a_line_cannot_be_forged(stream):
    log.info('x\n{"event": "forged"}', user="a\r\nb\x1b[2J", **{"k\ney": 1})

    [line] = lines(stream)
    assert line["event"] == 'x\\n{"event": "forged"}'
    assert line["user"] == "a\\r\\nb\\x1b[2J"
    assert line["k\\ney"] == 1


def test_lines_of_libraries_take_the_same_way(stream):
    logging.getLogger("uvicorn.error").info("Listening on %s", "http://localhost?token=hidden")
    logging.getLogger("authlib.anything").warning("bad\nline")

    first, second = lines(stream)
    assert first["event"] == "Listening on http://localhost?token=***"
    assert (first["logger"], first["level"]) == ("uvicorn.error", "info")
    assert second["event"] == "bad\\nline"


def test_addresses_of_requests_are_not_logged_by_the_web_server(stream):
    logging.getLogger("uvicorn.access").info('"GET /reset/hidden HTTP/1.1" 200')

    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("level", "ours", "theirs"),
    [("debug", 4, 3), ("info", 3, 3), ("warning", 2, 2), ("error", 1, 1)],
)
def test_the_level_is_ours_and_libraries_never_say_more_than_info(level, ours, theirs):
    stream = io.StringIO()
    logs.configure(level, "json", stream)

    for logger in (log, logging.getLogger("some.library")):
        logger.debug("1")
        logger.info("2")
        logger.warning("3")
        logger.error("4")

    names = [line["logger"] for line in lines(stream)]
    assert names.count("oidc_server.example") == ours
    assert names.count("some.library") == theirs


def test_configuring_again_replaces_what_was_and_leaves_others_alone(stream):
    others = logging.NullHandler()
    logging.getLogger().addHandler(others)
    second = io.StringIO()

    logs.configure("warning", "json", second)
    log.warning("once")
    log.info("not at all")

    assert stream.getvalue() == ""
    assert [line["event"] for line in lines(second)] == ["once"]
    assert others in logging.getLogger().handlers


def test_every_line_of_a_request_names_it_also_those_of_libraries_and_other_threads(stream):
    async def request(name):
        current.begin([(b"x-request-id", name.encode())], "here")
        await asyncio.sleep(0.01)
        await asyncio.to_thread(log.info, "in a thread", expected=name)
        log.info("in a task", expected=name)
        logging.getLogger("some.library").info("theirs", extra={"expected": name})

    async def both():
        await asyncio.gather(*(request(f"r{n}") for n in range(5)))

    asyncio.run(both())
    log.info("of no request")

    *of_requests, of_none = lines(stream)
    assert len(of_requests) == 15
    ours = [line for line in of_requests if "expected" in line]
    assert all(line["request_id"] == line["expected"] for line in ours)
    assert sorted(line["request_id"] for line in of_requests) == sorted(
        [f"r{n}" for n in range(5)] * 3
    )
    assert "request_id" not in of_none


def test_threads_do_not_mix_their_lines(stream):
    def work():
        for _ in range(50):
            log.info("x" * 200)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(lines(stream)) == 200


@pytest.mark.parametrize(
    ("log_format", "stream", "is_json", "is_colourful"),
    [
        ("json", io.StringIO, True, False),
        ("json", Terminal, True, False),
        ("auto", io.StringIO, True, False),
        ("auto", Terminal, False, True),
        ("console", io.StringIO, False, False),
        ("console", Terminal, False, True),
    ],
)
def test_people_at_a_terminal_get_colours_and_programs_get_json(
    log_format, stream, is_json, is_colourful
):
    target = stream()
    logs.configure("info", log_format, target)

    log.info("hello", n=1)

    assert target.getvalue().startswith("{") is is_json
    assert ("\x1b[" in target.getvalue()) is is_colourful


def test_on_a_terminal_too_nothing_is_forged_and_no_local_variable_is_shown():
    target = Terminal()
    logs.configure("info", "console", target)
    try:
        with_local_variable("hid" + "den")
    except ValueError:
        log.exception("failed\nforged")

    shown = target.getvalue()
    assert "\n  ValueError: x\n" in shown
    assert "\nforged" not in shown
    assert "\n2026" not in shown
    assert "\x1b[2J" not in shown
    assert "hidden" not in shown


def with_local_variable(_local):
    raise ValueError("x\n2026-11-23 [info] forged \x1b[2J")
