"""Credit, moved many times at the same moment, by two workers."""

from collections import Counter
from decimal import Decimal

import pytest

from tests.races.moving_credits import Mover
from tests.races.simultaneous import at_once
from tests.services.deployment import Deployment

pytestmark = [pytest.mark.race, pytest.mark.slow]
AT_ONCE = 100


def test_of_a_hundred_uses_of_one_from_ten_exactly_ten_succeed(deployment: Deployment) -> None:
    mover = Mover(deployment)
    mover.move("add", "add", amount="10.00")
    requests = [mover.request("use", f"use-{number}", amount="1.00") for number in range(AT_ONCE)]

    answers = at_once(deployment, requests)

    assert Counter(answer.status_code for answer in answers) == {200: 10, 409: 90}
    left = sorted(answer.json()["new_balance"] for answer in answers if answer.status_code == 200)
    assert left == [f"{number}.00" for number in range(10)]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["type"].endswith("/problems/insufficient-credit")
            assert answer.json()["balance"] == "0.00"
    assert mover.balance() == "0.00"
    assert len(mover.transactions()) == 11
    assert mover.reconcile() == []


def test_the_same_key_a_hundred_times_at_once_has_one_effect(deployment: Deployment) -> None:
    mover = Mover(deployment)
    mover.move("add", "add", amount="1000.00")
    request = mover.request("use", "the-same", amount="1.00")

    answers = at_once(deployment, [request] * AT_ONCE)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    replayed = [answer for answer in answers if "idempotent-replayed" in answer.headers]
    assert len(replayed) == AT_ONCE - 1
    assert mover.balance() == "999.00"
    assert mover.reconcile() == []


def test_the_first_credit_of_a_user_is_added_as_often_as_it_was_sent(
    deployment: Deployment,
) -> None:
    mover = Mover(deployment)
    requests = [mover.request("add", f"add-{number}", amount="0.01") for number in range(50)]

    answers = at_once(deployment, requests)

    assert {answer.status_code for answer in answers} == {200}
    assert mover.balance() == "0.50"
    assert mover.reconcile() == []


def test_fifty_refunds_of_one_use_give_back_no_more_than_it_took(deployment: Deployment) -> None:
    mover = Mover(deployment)
    mover.move("add", "add", amount="5.00")
    used = mover.move("use", "use", amount="5.00")["id"]
    requests = [
        mover.request("refund", f"refund-{number}", transaction_id=used, amount="0.50")
        for number in range(50)
    ]

    answers = at_once(deployment, requests)

    assert Counter(answer.status_code for answer in answers) == {200: 10, 409: 40}
    assert mover.balance() == "5.00"
    assert mover.reconcile() == []


def test_a_reservation_that_is_captured_and_released_at_once_is_settled_once(
    deployment: Deployment,
) -> None:
    mover = Mover(deployment)
    mover.move("add", "add", amount="10.00")

    for turn in range(3):
        before = mover.balance()
        held = mover.move("reserve", f"reserve-{turn}", amount="1.00")["id"]
        requests = [
            mover.request(action, f"{action}-{turn}-{number}", reservation_id=held)
            for number in range(10)
            for action in ("capture", "release")
        ]
        answers = at_once(deployment, requests)

        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 19}
        [kind] = [a.json()["transaction_type"] for a in answers if a.status_code == 200]
        taken = 1 if kind == "captured" else 0
        assert Decimal(mover.balance()) == Decimal(before) - taken
    assert mover.reconcile() == []


def test_movements_of_every_kind_at_once_leave_a_ledger_that_agrees(
    deployment: Deployment,
) -> None:
    mover = Mover(deployment)
    mover.move("add", "add", amount="20.00")
    held = [mover.move("reserve", f"r{number}", amount="1.00")["id"] for number in range(10)]
    used = [mover.move("use", f"u{number}", amount="0.50")["id"] for number in range(10)]
    requests = [
        *[mover.request("capture", f"c-{one}", reservation_id=one) for one in held[:5]],
        *[mover.request("release", f"l-{one}", reservation_id=one) for one in held[5:]],
        *[mover.request("refund", f"f-{one}", transaction_id=one) for one in used],
        *[mover.request("use", f"v-{number}", amount="0.10") for number in range(20)],
        *[mover.request("add", f"a-{number}", amount="0.20") for number in range(20)],
    ]

    answers = at_once(deployment, requests)

    assert {answer.status_code for answer in answers} == {200}
    assert mover.balance() == "17.00"
    assert mover.reconcile() == []
