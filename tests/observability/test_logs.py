"""The lines of the log."""

import asyncio
import io
import json
import logging
import threading

import pytest
import sqlalchemy

from oidc_server.observability import logs


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def restored_logging():
    """Each test configures logging anew; what it changed is put back."""
    names = [None, "oidc_server", "sqlalchemy", "alembic", "uvicorn", "uvicorn.error"]
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger, logger.level, list(logger.handlers), logger.propagate) for logger in loggers]
    yield
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
        logger.propagate = propagate
    logging.getLogger("uvicorn.access").disabled = False


@pytest.fixture
def stream():
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    return stream


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


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


def test_bound_fields_are_in_every_line_until_they_are_unbound(stream):
    outer = logs.bind(request_id="r1", client_id="c")
    inner = logs.bind(request_id="r2")
    log.info("a")
    logging.getLogger("some.library").info("b")
    logs.unbind(inner)
    log.info("c")
    logs.unbind(outer)
    log.info("d")

    assert [(x.get("request_id"), x.get("client_id")) for x in lines(stream)] == [
        ("r2", "c"), ("r2", "c"), ("r1", "c"), (None, None),
    ]  # fmt: skip


def test_requests_side_by_side_do_not_see_each_others_fields(stream):
    async def request(name):
        tokens = logs.bind(request_id=name)
        await asyncio.sleep(0.01)
        await asyncio.to_thread(log.info, "in a thread", expected=name)
        log.info("in a task", expected=name)
        logs.unbind(tokens)

    async def both():
        await asyncio.gather(*(request(f"r{n}") for n in range(5)))

    asyncio.run(both())

    assert len(lines(stream)) == 10
    assert all(line["request_id"] == line["expected"] for line in lines(stream))


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
