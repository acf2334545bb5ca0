"""What is counted, and under which labels."""

import pytest

from oidc_server.observability import metrics


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_breaker_that_is_on_trial_is_not_closed_yet():
    changes = [("closed", "open"), ("open", "half-open"), ("half-open", "closed")]
    seen = []

    for before, after in changes:
        metrics.breaker_changed("moon", before, after)
        seen.append(value("oidc_breakers_open", service="moon"))

    assert seen == [1, 1, 0]
    assert value("oidc_breaker_transitions_total", service="moon", state="open") == 1
    assert value("oidc_breaker_transitions_total", service="moon", state="closed") == 1


@pytest.mark.parametrize("method", ["BREW", "get"])
def test_methods_that_somebody_made_up_share_one_label(method):
    before = value("oidc_http_requests_total", route="tea", method="other", status="4xx")

    metrics.request_answered("tea", method, 405, 0.004)

    after = value("oidc_http_requests_total", route="tea", method="other", status="4xx")
    assert after == before + 1
    assert value("oidc_http_request_duration_seconds_bucket", route="tea", le="0.005") >= 1
