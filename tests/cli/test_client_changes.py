"""`oidc-server clients edit`, `disable`, `enable`, `delete`, and `--metadata`."""

import json

import pytest

REDIRECT_URI = "https://app.example.net/callback"
WEB = ("clients", "add", "--name", "Ledger", "--type", "web", "--redirect-uri", REDIRECT_URI)
DESCRIBED = {
    "client_name": "Ledger",
    "redirect_uris": [REDIRECT_URI],
    "logo_uri": "https://app.example.net/logo.png",
    "policy_uri": "https://app.example.net/privacy",
    "tos_uri": "https://app.example.net/terms",
    "contacts": ["ops@example.net"],
    "subject_type": "pairwise",
    "default_max_age": 3600,
    "backchannel_logout_uri": "https://app.example.net/logout",
    "frontchannel_logout_uri": "https://app.example.net/logout-frame",
    "scope": "openid email",
    "response_types": ["code"],
    "skip_consent": True,
}


@pytest.fixture
def described(tmp_path):
    """Write members to a file; its name."""

    def write(members):
        path = tmp_path / "client.json"
        path.write_text(members if isinstance(members, str) else json.dumps(members))
        return str(path)

    return write


def test_a_file_says_everything_that_has_no_option(run, described):
    made = run("clients", "add", "--type", "web", "--metadata", described(DESCRIBED), "--json").json

    expected = {name: value for name, value in DESCRIBED.items() if name != "response_types"}
    assert {name: made[name] for name in expected} == expected | {"scope": "email openid"}


def test_standard_input_is_a_file_too_and_options_go_before_it(run):
    made = run(
        "clients", "add", "--type", "web", "--metadata", "-", "--name", "Books", "--no-pkce",
        "--json", stdin=json.dumps(DESCRIBED),
    ).json  # fmt: skip

    assert (made["client_name"], made["require_pkce"]) == ("Books", False)
    assert made["contacts"] == ["ops@example.net"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"client_nmae": "Ledger"}, "client_nmae: there is no such member."),
        ({"redirect_uris": REDIRECT_URI}, "redirect_uris: it must be a list of strings."),
        ({"skip_consent": "yes"}, "skip_consent: it must be true or false."),
        ({"response_types": ["token"]}, "response_types: token is not supported; only code is."),
        (
            {"redirect_uris": [REDIRECT_URI]},
            "client_name must have 1 to 100 printable characters.",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_a_line(run, described, members, message):
    done = run("clients", "add", "--type", "web", "--metadata", described(members))

    assert (done.status, done.stderr) == (1, f"{message}\n")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"client_name": "a", "client_name": "b"}'])
def test_a_file_that_holds_no_object_is_a_wrong_option(run, described, text):
    done = run("clients", "add", "--type", "web", "--metadata", described(text))

    assert done.status == 2
    assert "--metadata" in done.stderr


def test_edit_changes_what_is_named_and_leaves_the_rest(run, described):
    client_id = run(
        "clients", "add", "--type", "web", "--metadata", described(DESCRIBED), "--json"
    ).json["client_id"]
    before = run("clients", "show", client_id, "--json").json

    after = run(
        "clients", "edit", client_id, "--name", "Books", "--scope", "openid",
        "--redirect-uri", "https://app.example.net/new",
        "--metadata", described({"contacts": None, "default_max_age": 60}), "--json",
    ).json  # fmt: skip

    assert after == before | {
        "client_name": "Books",
        "scope": "openid",
        "redirect_uris": ["https://app.example.net/new"],
        "contacts": [],
        "default_max_age": 60,
    }
    assert run("clients", "show", client_id, "--json").json == after


def test_edit_follows_what_a_library_can_do(run):
    before = run(*WEB, "--json").json

    after = run(
        "clients", "edit", before["client_id"],
        "--auth-method", "client_secret_post", "--no-pkce", "--json",
    ).json  # fmt: skip
    back = run("clients", "edit", before["client_id"], "--pkce", "--json").json

    assert after["token_endpoint_auth_method"] == "client_secret_post"
    assert "client_secret" not in after
    assert (before["require_pkce"], after["require_pkce"]) == (True, False)
    assert back == after | {"require_pkce": True}


def test_edit_that_does_not_fit_changes_nothing(run):
    client_id = run(*WEB, "--json").json["client_id"]
    before = run("clients", "show", client_id, "--json").json

    done = run("clients", "edit", client_id, "--redirect-uri", "http://app.example.net/cb")

    assert done.status == 1
    assert "plain http" in done.stderr
    assert run("clients", "show", client_id, "--json").json == before


def test_a_client_that_begins_to_use_a_secret_is_given_one(run, described):
    keys = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": "https://app.example.net/jwks",
    }
    client_id = run(*WEB, "--metadata", described(keys), "--json").json["client_id"]
    secret = {"token_endpoint_auth_method": "client_secret_jwt", "jwks_uri": None}

    begun = run("clients", "edit", client_id, "--metadata", described(secret), "--json").json
    again = run("clients", "edit", client_id, "--name", "Books", "--json").json
    ended = run("clients", "edit", client_id, "--metadata", described(keys), "--json").json

    assert begun["client_secret"]
    assert (begun["live_secrets"], again["live_secrets"], ended["live_secrets"]) == (1, 1, 0)
    assert "client_secret" not in again
    assert "client_secret" not in ended


def test_a_client_is_stopped_and_goes_on(run):
    client_id = run(*WEB, "--json").json["client_id"]

    states = [
        run("clients", command, client_id, "--json").json["disabled"]
        for command in ("show", "disable", "show", "enable", "show")
    ]

    assert states == [False, True, True, False, False]


def test_a_deleted_client_is_gone_for_every_command(run):
    client_id = run(*WEB, "--json").json["client_id"]

    done = run("clients", "delete", client_id, "--yes", "--json")

    assert done.json == {"client_id": client_id, "deleted": True}
    assert run("clients", "list", "--json").json == []
    for command in ("show", "edit", "disable", "enable", "delete --yes", "rotate-secret"):
        again = run("clients", *command.split(), client_id, "--json")
        assert (again.status, again.json) == (1, {"error": f"There is no client {client_id}."})
