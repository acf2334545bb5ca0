"""Lines that are sent to a collector: none waits, none is lost in silence."""

import time

import pytest

from oidc_server.observability.shipping import Shipping
from tests.observability.collector import Collector
from tests.services.ports import free_port


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.stalls.clear()
    collector.go_away()


def shipping_to(collector, **how):
    return Shipping("127.0.0.1", collector.port, **how)


def write(shipping, *numbers, padding=0):
    for number in numbers:
        shipping.write(b'{"event":"%d","padding":"%b"}' % (number, b"x" * padding))


def wait_for_event(collector, event):
    deadline = time.monotonic() + 60
    while not any(line["event"] == event for line in list(collector.lines)):
        assert time.monotonic() < deadline, f"{event} never came"
        time.sleep(0.01)


def numbers(collector):
    """What came, in order, each once: a line that comes again has a number that was there."""
    seen = {line["sequence"]: line["event"] for line in collector.lines}
    assert sorted(seen) == list(dict.fromkeys(seen))
    return [seen[number] for number in sorted(seen)]


def test_lines_come_in_order_numbered_and_with_the_name_of_their_process(collector):
    shipping = shipping_to(collector)

    write(shipping, *range(500))
    shipping.close()
    collector.wait_for(500)

    assert [line["event"] for line in collector.lines] == [str(n) for n in range(500)]
    assert [line["sequence"] for line in collector.lines] == list(range(1, 501))
    assert len({line["source"] for line in collector.lines}) == 1


def test_lines_wait_for_a_collector_that_is_not_there_yet():
    collector = Collector()
    collector.go_away()
    shipping = shipping_to(collector)

    write(shipping, *range(10))
    time.sleep(0.3)
    collector.come_back()
    collector.wait_for(10)
    shipping.close()
    collector.go_away()

    assert numbers(collector) == [str(n) for n in range(10)]


def test_what_a_collector_did_not_confirm_before_it_went_is_sent_again(collector):
    shipping = shipping_to(collector)
    write(shipping, *range(100))
    collector.wait_for(100)

    collector.stalls.set()
    write(shipping, *range(100, 600), padding=2000)
    time.sleep(0.5)
    read_before = len(collector.lines)
    collector.go_away()
    collector.stalls.clear()
    collector.come_back()
    write(shipping, 600)
    collector.wait_for(read_before + 1)
    wait_for_event(collector, "600")
    shipping.close()

    came = {line["sequence"] for line in collector.lines}
    assert max(came) == 601
    # Only what its own machine had confirmed, but it had not read, may be missing; it is seen.
    missing = sorted(set(range(1, 602)) - came)
    assert missing == list(range(missing[0], missing[-1] + 1)) if missing else True
    assert all(number > 100 for number in missing)


def test_a_collector_that_stalls_holds_nobody_up_and_is_told_what_it_missed(collector):
    shipping = shipping_to(collector, max_bytes=50_000)
    collector.stalls.set()

    began = time.monotonic()
    write(shipping, *range(5_000), padding=2000)
    took = time.monotonic() - began
    collector.stalls.clear()
    write(shipping, 5_000)
    collector.wait_for(20)
    while not any("dropped" in line for line in collector.lines):
        time.sleep(0.05)
        write(shipping, 5_000)
    write(shipping, 5_001)
    shipping.close()
    wait_for_event(collector, "5001")

    assert took < 20
    told = [line for line in collector.lines if "dropped" in line]
    assert told
    assert told[0]["event"] == f"dropped {told[0]['dropped']} lines"
    came = {line["sequence"] for line in collector.lines}
    missing = set(range(1, max(came) + 1)) - came
    assert len(missing) == sum(line["dropped"] for line in told)
    assert told[0]["sequence"] - 1 in missing


def test_the_end_of_a_process_waits_for_nobody_longer_than_a_moment(collector):
    nobody = Shipping("127.0.0.1", free_port())
    write(nobody, 1)
    stalled = shipping_to(collector)
    collector.stalls.set()
    write(stalled, *range(3_000), padding=2000)

    began = time.monotonic()
    nobody.close()
    stalled.close()

    assert time.monotonic() - began < 20
