"""`oidc-server keys`."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from oidc_server.security.jose import ALGORITHMS

SECOND = timedelta(seconds=1)


def keys(run, **wanted):
    found = run("keys", "list", "--json").json
    return [key for key in found if all(key[name] == value for name, value in wanted.items())]


def states(run):
    return Counter((key["alg"], key["state"]) for key in keys(run))


def at(text):
    return datetime.fromisoformat(text)


def test_a_migrated_server_has_one_signing_key_of_each_kind(run):
    assert states(run) == {(alg, "signing"): 1 for alg in ALGORITHMS}
    for key in keys(run):
        assert key["published_at"] == key["signs_from"]
        assert key["signs_until"] is key["leaves_at"] is None


def test_the_first_keys_are_in_the_audit_log(run):
    events = run("audit", "list", "--event", "signing_key.created", "--json").json

    assert {event["detail"]["kid"] for event in events} == {key["kid"] for key in keys(run)}
    assert {event["actor"] for event in events} == {"server"}


def test_new_keys_are_published_a_day_before_they_sign(run):
    done = run("keys", "rotate", "--json")

    new = keys(run, state="next")
    assert states(run) == {(alg, state): 1 for alg in ALGORITHMS for state in ("signing", "next")}
    assert {key["kid"] for key in new} == set(done.json["new_keys"])
    for key in new:
        assert key["signs_from"] == done.json["signs_from"]
        assert at(key["signs_from"]) - at(key["published_at"]) == timedelta(days=1)
    for key in keys(run, state="signing"):
        assert key["signs_until"] == done.json["signs_from"]
        assert at(key["leaves_at"]) - at(key["signs_until"]) == timedelta(days=2)


def test_new_keys_sign_in_seconds_when_told_so(run):
    run("keys", "rotate", "--alg", "ES256")
    [waiting] = keys(run, state="next")

    done = run("keys", "rotate", "--now", "--alg", "ES256", "--json")

    [old] = keys(run, alg="ES256", state="signing")
    [new] = [key for key in keys(run) if key["kid"] in done.json["new_keys"]]
    [withdrawn] = keys(run, kid=waiting["kid"])
    assert old["signs_until"] == new["signs_from"] == done.json["signs_from"]
    assert at(new["signs_from"]) - at(new["published_at"]) == 5 * SECOND
    assert new["signs_until"] is None
    assert withdrawn["signs_from"] is None
    assert withdrawn["leaves_at"] == new["published_at"]


def test_one_algorithm_is_rotated_alone(run):
    done = run("keys", "rotate", "--alg", "EdDSA", "--json")

    assert len(done.json["new_keys"]) == 1
    assert [key["alg"] for key in keys(run, state="next")] == ["EdDSA"]
    assert run("keys", "rotate", "--alg", "HS256").status == 1


def test_a_key_that_signs_is_replaced_before_it_is_revoked(run):
    [leaked] = keys(run, alg="RS256")

    done = run("keys", "revoke", leaked["kid"], "--yes", "--json")

    [leaked] = keys(run, kid=leaked["kid"])
    [new] = keys(run, kid=done.json["replaced_by"])
    assert leaked["leaves_at"] == leaked["signs_until"] == done.json["leaves_at"]
    assert new["alg"] == "RS256"
    assert new["signs_from"] == leaked["leaves_at"]
    assert len(keys(run)) == len(ALGORITHMS) + 1


def test_a_waiting_key_is_revoked_without_touching_the_one_that_signs(run):
    run("keys", "rotate", "--alg", "PS256")
    [waiting] = keys(run, state="next")

    done = run("keys", "revoke", waiting["kid"], "--yes", "--json")

    [signing] = keys(run, alg="PS256", state="signing")
    assert done.json["replaced_by"] is None
    assert signing["signs_until"] is None


def test_of_keys_revoked_in_a_row_none_leaves_a_gap(run):
    kid = keys(run, alg="ES256")[0]["kid"]
    for _ in range(3):
        kid = run("keys", "revoke", kid, "--yes", "--json").json["replaced_by"]

    signing = [key for key in keys(run, alg="ES256") if key["signs_from"]]
    for key, following in pairwise(signing):
        assert key["signs_until"] == following["signs_from"]
    assert signing[-1]["kid"] == kid
    assert signing[-1]["signs_until"] is None


@pytest.mark.parametrize("again", [True, False])
def test_what_cannot_be_revoked_is_an_error(run, again):
    kid = keys(run, alg="ES256")[0]["kid"] if again else "unknown"
    if again:
        run("keys", "revoke", kid, "--yes")
    before = keys(run)

    done = run("keys", "revoke", kid, "--yes")

    assert done.status == 1
    assert keys(run) == before


def test_keys_are_listed_in_a_table_without_their_private_half(run):
    heading, *rows = run("keys", "list").stdout.splitlines()

    assert heading.split() == [
        "kid", "alg", "state", "published_at", "signs_from", "signs_until", "leaves_at",
    ]  # fmt: skip
    assert len(rows) == len(ALGORITHMS)
    assert "private" not in run("keys", "list", "--json").stdout
