"""`oidc-server users`: what is done to an account; `oidc-server roles`."""

import pytest

PASSWORD = "a long enough passphrase"


@pytest.fixture
def ann(run):
    """An administrator with a verified address, as JSON."""
    made = run(
        "users", "add", "--username", "ann", "--email", "ann@example.com", "--admin", "--verified",
        "--password-stdin", "--json", stdin=PASSWORD,
    )  # fmt: skip
    return made.json


@pytest.fixture
def bob(run):
    """Somebody whose address is not verified."""
    made = run(
        "users", "add", "--username", "bob", "--email", "bob@example.com", "--password-stdin",
        "--json", stdin=PASSWORD,
    )  # fmt: skip
    return made.json


def test_an_account_is_shown_by_any_of_its_names(run, ann):
    for named in (ann["id"], "Ann", "ann@example.com"):
        assert run("users", "show", named, "--json").json == ann
    assert run("users", "show", "nobody").stderr == "There is no account nobody.\n"


def test_an_account_is_disabled_and_enabled(run, bob):
    assert run("users", "disable", "bob", "--json").json == {**bob, "disabled": True}
    assert run("users", "enable", "bob", "--json").json == bob


def test_an_account_gets_another_name_and_another_address(run, ann, bob):
    renamed = run("users", "rename", "bob", "Bobby", "--json").json
    moved = run("users", "set-email", "bobby", "b@example.com", "--verified", "--json").json
    taken = run("users", "rename", "bobby", "ann")
    foreign = run("users", "set-email", "bobby", ann["email"], "--verified")

    assert renamed == {**bob, "username": "Bobby"}
    assert (moved["email"], moved["email_verified"]) == ("b@example.com", True)
    assert (taken.status, taken.stderr) == (1, "This username is taken.\n")
    assert (foreign.status, foreign.stderr) == (1, "This address belongs to another account.\n")


def test_a_password_is_set_from_standard_input(run, bob):
    done = run("users", "set-password", "bob", "--password-stdin", stdin="another long passphrase")
    weak = run("users", "set-password", "bob", "--password-stdin", stdin="bob")

    assert done.status == 0
    assert weak.status == 1
    assert bob["username"] in done.stdout


def test_a_password_is_reset_where_a_mail_arrives(run, ann, bob):
    del ann, bob

    assert run("users", "reset-password", "ann").status == 0
    refused = run("users", "reset-password", "bob")
    assert refused.stderr == (
        "bob has no verified address to send a link to;"
        " choose a password for them: oidc-server users set-password\n"
    )


def test_an_account_is_deleted_for_good(run, bob):
    done = run("users", "delete", "bob", "--yes", "--json")

    assert done.json == {"id": bob["id"], "deleted": True}
    assert run("users", "show", bob["id"]).status == 1


def test_factors_and_sessions_go(run, bob):
    assert run("users", "reset-factors", "bob", "--json").json == bob
    assert run("users", "end-sessions", "bob", "--json").json == bob


def test_the_last_administrator_stays(run, ann, bob):
    del ann, bob
    message = "This is the last administrator. Make another one first.\n"

    for command in (("disable", "ann"), ("delete", "ann", "--yes"), ("take-role", "ann", "admin")):
        refused = run("users", *command)
        assert (refused.status, refused.stderr) == (1, message)
    assert run("users", "give-role", "bob", "admin", "--json").json["roles"] == ["admin", "user"]
    assert run("users", "take-role", "ann", "admin", "--json").json["roles"] == ["user"]


def test_a_role_is_made_given_changed_and_deleted(run, bob):
    made = run("roles", "add", "support", "--scope", "credits:read users:read", "--json").json
    given = run("users", "give-role", "bob", "support", "--json").json
    changed = run("roles", "edit", "support", "--scope", "credits:read", "--json").json
    listed = run("roles", "list", "--json").json
    deleted = run("roles", "delete", "support", "--yes", "--json").json

    assert made == {
        "name": "support",
        "scopes": ["credits:read", "users:read"],
        "description": "",
        "built_in": False,
    }
    assert given["roles"] == ["support", "user"]
    assert changed == {**made, "scopes": ["credits:read"]}
    assert [role["name"] for role in listed] == ["admin", "moderator", "user", "support"]
    assert deleted == {"name": "support", "taken_from": 1}
    assert run("users", "show", "bob", "--json").json == bob


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("roles", "add", "admin"), "There is a role admin already."),
        (("roles", "add", "x", "--scope", "burn"), "There is no scope burn here."),
        (("roles", "delete", "user", "--yes"), "The role user belongs to this server."),
        (("roles", "edit", "nothing"), "There is no role nothing."),
        (("users", "give-role", "bob", "nothing"), "There is no role nothing."),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(run, bob, command, message):
    del bob
    refused = run(*command)

    assert (refused.status, refused.stderr) == (1, f"{message}\n")
