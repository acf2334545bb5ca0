"""What the log holds of a day at the server, at its most talkative: no secret, no traceback."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.faults.further_flows import live_on
from tests.faults.whole_flow import live_a_day, set_up
from tests.services.deployment import Deployment
from tests.services.smtp import MailServer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_secret_of_a_whole_day_is_in_the_log(
    deploy_sqlite: Callable[..., Deployment], smtp: MailServer, log_format: str
) -> None:
    deployment = deploy_sqlite(
        log_level="debug",
        log_format=log_format,
        registration="token",
        smtp_url=f"smtp://{smtp.host}:{smtp.port}?starttls=off",
    )

    day = live_a_day(deployment, smtp)
    live_on(day)
    set_up(day)

    deployment.server.stop()
    log = "\n".join(
        line
        for line in deployment.server.logs().splitlines()
        if not line.startswith("Set it up, once: ")  # to the terminal: nobody else can set it up
    )
    assert "mail sent" in log
    assert len(day.secrets) > 60
    for name, secret in day.secrets.items():
        assert secret not in log, f"the log holds the {name}"
        assert quote(secret, safe="") not in log, f"the log holds the {name}"
    assert "Traceback" not in log
