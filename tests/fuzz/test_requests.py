"""Whatever is sent to any address: a documented answer, in under a second, and nothing kept."""

import pytest

from oidc_server.domain.client_metadata.wire import MEMBERS
from oidc_server.oauth2.vocabulary import API_SCOPES
from tests.callers import make_callers
from tests.fuzz import calls, food
from tests.fuzz.conftest import Feed
from tests.fuzz.verdict import Judge
from tests.fuzz.world import World

pytestmark = pytest.mark.slow

NAMES = [*sorted(MEMBERS), "software_statement", "client_id", "client_secret", "jwks"]


def test_any_bytes_at_any_address_get_a_documented_answer(world: World, judge: Judge, feed: Feed):
    feed(judge, food.nonsense(world), cases=200)


def test_requests_that_are_nearly_good_get_a_documented_answer(
    world: World, judge: Judge, feed: Feed
):
    feed(judge, food.nearly_good(world), cases=300)


def test_clients_that_describe_themselves_strangely_are_told_so(
    world: World, judge: Judge, feed: Feed
):
    client_id, token = world.values["path client_id"][0], world.values["registration"][0]
    new = food.descriptions(NAMES, at="/register", token="")
    changed = food.descriptions(NAMES, at=f"/register/{client_id}", token=token)

    feed(judge, new | changed, cases=120)


def test_calls_of_the_api_that_are_nearly_good_get_a_documented_answer(
    world: World, judge: Judge, feed: Feed
):
    callers = make_callers(world.site, " ".join(sorted(API_SCOPES)))
    world.secrets |= set(callers.tokens.values())
    judge.writes.take()

    feed(judge, calls.api_calls(callers), cases=300)
