"""What holds for every command: help, versions, settings, and errors without a traceback."""

import json
import subprocess
import sys

import pytest
import typer

from oidc_server import __version__
from oidc_server.cli import application
from oidc_server.domain import signing_keys
from oidc_server.settings import load
from tests.services import run as test_run
from tests.services.ports import free_port

COMMANDS = [
    ("db", "upgrade"),
    ("users", "list"),
    ("clients", "list"),
    ("keys", "list"),
    ("keys", "rotate"),
    ("resources", "list"),
    ("setup-link",),
    ("doctor",),
]
COMMAND_TREE = typer.main.get_group(application)
SECRET = "a secret of the tests that is long enough to be one"


def test_the_version_is_told(run):
    done = run("--version")

    assert (done.status, done.stdout) == (0, f"{__version__}\n")


def leaves(command, path=()):
    """Every command below a group, with the words that lead to it."""
    for name, below in getattr(command, "commands", {}).items():
        yield from leaves(below, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


@pytest.mark.parametrize(
    ("words", "command"),
    [pytest.param(words, command, id=" ".join(words)) for words, command in leaves(COMMAND_TREE)],
)
def test_every_command_explains_itself_and_every_option_in_full(run, monkeypatch, words, command):
    monkeypatch.setenv("COLUMNS", "80")

    done = run(*words, "--help")

    assert done.status == 0
    assert run(*words, "-h").stdout == done.stdout
    assert ("--json" in done.stdout) == (words != ("serve",))
    options = [name for parameter in command.params for name in parameter.opts if name[:2] == "--"]
    assert [name for name in options if name not in done.stdout.split()] == []


@pytest.mark.parametrize(
    "group",
    [(), *((name,) for name, below in COMMAND_TREE.commands.items() if hasattr(below, "commands"))],
)
def test_no_command_is_explained_by_half_a_sentence(run, monkeypatch, group):
    monkeypatch.setenv("COLUMNS", "80")

    done = run(*group, "--help")

    assert run(*group, "-h").stdout == done.stdout
    told = done.stdout.partition("Commands:")[2]
    assert told
    assert "..." not in told


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_answers_one_json_document(run, command):
    done = run(*command, "--json")

    assert (done.status, done.stderr) == (0, "")
    assert isinstance(done.json, list | dict)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("clients", "add", "--type", "x"), "for '--type': 'x' is not one of 'web', 'spa',"),
        (("issuers", "add", "a", "--subject", "x"), "for '--subject': 'x' is not one of 'sub',"),
        (("audit", "export", "--outcome", "x"), "for '--outcome': 'x' is not one of 'success',"),
        (("users", "invite", "--expires", "x"), "for --expires: write seconds, or a number"),
        (("users", "invite", "--expires", "99d"), "for --expires: choose at most 90d"),
    ],
)
def test_a_wrong_option_is_named_and_told_in_our_own_words(run, command, told):
    done = run(*command)

    assert done.status == 2
    assert f"Error: Invalid value {told}" in done.stderr


def test_migrating_twice_is_as_good_as_once(run):
    run("db", "upgrade")

    assert run("db", "upgrade", "--json").json == {"database": "sqlite", "schema": "up to date"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_setting_stops_every_command_and_names_the_nearest(run, monkeypatch, command):
    monkeypatch.setenv("OIDC_ISUER", "https://id.example.com")

    told = run(*command)
    answered = run(*command, "--json")

    line = "OIDC_ISUER: is not a setting; did you mean OIDC_ISSUER?"
    assert (told.status, told.stdout) == (1, "")
    assert line in told.stderr
    assert answered.status == 1
    assert line in answered.json["error"]


@pytest.mark.parametrize("command", COMMANDS[:-1], ids=" ".join)
def test_a_database_that_is_away_is_told_in_a_line(run, monkeypatch, command):
    port = free_port()
    monkeypatch.setenv("OIDC_DATABASE_URL", f"postgresql://oidc:hunter22@127.0.0.1:{port}/oidc")
    monkeypatch.setenv("OIDC_SECRET_KEY", SECRET)

    done = run(*command)

    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith("The database cannot be used right now: ")
    assert str(port) in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hunter22" not in done.stderr


@pytest.mark.parametrize("command", [("users", "list"), ("db", "status")], ids=" ".join)
def test_a_file_that_cannot_be_used_is_told_with_its_path(run, data_dir, command):
    database = data_dir / "oidc.db"
    database.unlink()
    database.mkdir()

    done = run(*command)

    told = f"The database cannot be used right now: {database}: unable to open database file\n"
    assert (done.status, done.stderr) == (1, told)


@pytest.mark.parametrize("command", [("users", "list"), ("db", "status")], ids=" ".join)
def test_a_file_of_another_kind_is_told_with_its_path(run, data_dir, command):
    database = data_dir / "oidc.db"
    database.write_text("something else, and enough of it to look like a database file" * 20)

    done = run(*command)

    told = f"The database cannot be used right now: {database}: file is not a database\n"
    assert (done.status, done.stderr) == (1, told)


def test_a_data_folder_that_cannot_be_made_is_told_in_a_line(run, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("OIDC_DATA_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("OIDC_SECRET_KEY", SECRET)

    done = run("users", "list", "--json")

    assert done.status == 1
    assert str(tmp_path / "file") in done.json["error"]


def test_another_secret_is_told_before_it_does_harm(run, monkeypatch):
    monkeypatch.setenv("OIDC_SECRET_KEY", SECRET)

    done = run("keys", "rotate")

    assert done.status == 1
    assert "OIDC_SECRET_KEY" in done.stderr
    monkeypatch.delenv("OIDC_SECRET_KEY")
    assert len(run("keys", "list", "--json").json) == 4


def test_two_secrets_open_what_either_has_sealed(run, monkeypatch, data_dir):
    [kept] = load().secret_keys
    monkeypatch.setenv("OIDC_SECRET_KEY", f"{SECRET},{kept}")

    assert run("keys", "rotate", "--now").status == 0
    assert run("doctor").status == 0


def test_what_a_command_wrote_is_undone_when_it_fails(run, monkeypatch):
    done = run("resources", "add", "https://api.example.net", "--scope", 'a "b')

    assert done.status == 1
    assert run("resources", "list", "--json").json == []


def test_an_interrupted_command_ends_without_a_traceback_and_leaves_nothing(run, monkeypatch):
    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(signing_keys, "rotate", interrupt)
        done = run("keys", "rotate")

    assert done.status == 130
    assert "Traceback" not in done.stderr
    assert len(run("keys", "list", "--json").json) == 4


def test_commands_work_on_postgresql(run, monkeypatch, postgres):
    url = postgres.create_database()
    monkeypatch.setenv("OIDC_DATABASE_URL", url)
    monkeypatch.setenv("OIDC_SECRET_KEY", SECRET)

    upgraded = run("db", "upgrade", "--json")
    added = run("resources", "add", "https://api.example.net", "--json")
    again = run("resources", "add", "https://api.example.net", "--json")
    checked = run("doctor", "--json")

    postgres.drop_database(url)
    assert upgraded.json == {"database": "postgresql", "schema": "up to date"}
    assert (added.status, again.status) == (0, 1)
    assert again.json == {"error": "The resource https://api.example.net exists already."}
    assert checked.status == 0


@pytest.mark.slow
def test_commands_run_as_programs_from_an_empty_folder(tmp_path):
    def oidc_server(*arguments, stdin=""):
        return subprocess.run(
            [sys.executable, "-m", "oidc_server", *arguments],
            cwd=tmp_path,
            env=test_run.clean_environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    made = oidc_server(
        "users", "add", "--username", "ann", "--email", "ann@example.com", "--admin",
        "--password-stdin", "--json", stdin="a long enough passphrase\n",
    )  # fmt: skip
    refused = oidc_server("setup-link")

    database = tmp_path / "data/oidc.db"
    assert (made.returncode, made.stderr) == (0, f"This database is new: {database}\n")
    assert json.loads(made.stdout)["roles"] == ["admin", "user"]
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "This server is set up: there is an administrator.\n"
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"oidc.db", "secret.key"}
    assert database.stat().st_mode & 0o077 == 0
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
