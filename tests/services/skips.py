"""Nothing is skipped in silence: the last lines of a run name every kind of skipped test.

`--no-skips`, or OIDC_TEST_NO_SKIPS=1 in the environment, makes a run fail that skipped anything.
"""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.services.run import is_controller


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        default=os.environ.get("OIDC_TEST_NO_SKIPS") == "1",
        help="fail if any test was skipped",
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    passed = session.exitstatus == pytest.ExitCode.OK
    if passed and session.config.getoption("no_skips") and skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Iterator[None]:
    yield
    forbidden = config.getoption("no_skips")
    for reason, count in skipped(config).most_common():
        tests = "1 TEST" if count == 1 else f"{count} TESTS"
        verdict = "FAILED, AS NOTHING MAY BE SKIPPED: " if forbidden else ""
        terminalreporter.write_line(f"SKIPPED {tests}: {verdict}{reason}", yellow=True, bold=True)


def skipped(config: pytest.Config) -> Counter[str]:
    """Count the skipped tests of a run by reason: known where it was started, not in a worker."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not is_controller(config):
        return Counter()
    return Counter(_reason(report) for report in reporter.stats.get("skipped", ()))


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")
