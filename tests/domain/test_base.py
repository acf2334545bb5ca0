"""The ids of rows."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from oidc_server.domain.base import new_id, parse_id

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front():
    """RFC 9562 §5.7."""
    made = uuid.UUID(new_id(NOW))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(NOW.timestamp() * 1000)


def test_ids_sort_by_the_time_they_were_made_and_are_never_equal():
    moments = [NOW + timedelta(milliseconds=number) for number in range(200)]

    ids = [new_id(moment) for moment in moments]

    assert sorted(ids) == ids
    assert len({new_id(NOW) for _ in range(1000)}) == 1000


def test_ids_of_one_millisecond_sort_in_the_order_in_which_they_were_made():
    """RFC 9562 §6.2."""
    ids = [new_id(NOW) for _ in range(1000)]

    assert sorted(ids) == ids
    assert {uuid.UUID(made).version for made in ids} == {7}


@pytest.mark.parametrize("text", ["", "1", "0" * 32, "{" + str(uuid.UUID(int=1)) + "}", "x" * 36])
def test_what_is_no_id_is_never_asked_for(text):
    assert parse_id(text) is None


def test_an_id_may_come_back_in_capitals():
    made = new_id(NOW)

    assert parse_id(made.upper()) == made
