"""The clock."""

from datetime import UTC, datetime, timedelta

from oidc_server.clock import utc_now


def test_the_clock_tells_the_present_with_its_time_zone():
    now = utc_now()

    assert now.utcoffset() == timedelta()
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)
