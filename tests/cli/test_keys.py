"""`oidc-server keys`."""

from collections import Counter


def states(run):
    return Counter((key["alg"], key["state"]) for key in run("keys", "list", "--json").json)


def test_a_migrated_server_has_one_signing_key_of_each_kind(run):
    keys = run("keys", "list", "--json").json

    assert states(run) == {("ES256", "active"): 1, ("RS256", "active"): 1}
    assert {name for key in keys for name in key} == {
        "kid", "alg", "state", "created_at", "signs_from", "superseded_at",
    }  # fmt: skip


def test_new_keys_are_published_a_day_before_they_sign(run):
    done = run("keys", "rotate", "--json")

    assert done.json["sign_from"] == "in a day"
    assert len(done.json["new_keys"]) == 2
    assert states(run) == {
        (alg, state): 1 for alg in ("ES256", "RS256") for state in ("active", "next")
    }


def test_new_keys_sign_at_once_when_told_so(run):
    done = run("keys", "rotate", "--now", "--json")

    active = {key["kid"] for key in run("keys", "list", "--json").json if key["state"] == "active"}

    assert done.json["sign_from"] == "now"
    assert active == set(done.json["new_keys"])
    assert states(run)["RS256", "retiring"] == 1


def test_keys_are_listed_in_a_table_without_their_private_half(run):
    heading, *rows = run("keys", "list").stdout.splitlines()

    assert heading.split() == ["kid", "alg", "state", "created_at", "signs_from", "superseded_at"]
    assert len(rows) == 2
    assert "private" not in run("keys", "list", "--json").stdout
