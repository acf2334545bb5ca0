"""Where the settings come from, and what is said when they cannot be used."""

import multiprocessing
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from oidc_server.settings import SettingsError, ensure_secret_key, load
from oidc_server.settings.loading import _KNOWN, _is_ours

SECRET = "s" * 32
POSTGRESQL = "postgresql://oidc:hidden@db/oidc"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems_of(env, env_file=None, **bound):
    with pytest.raises(SettingsError) as refusal:
        load(env, env_file, **bound)
    return refusal.value.problems


def test_nothing_has_to_be_set_on_this_machine(tmp_path):
    settings = load({}, None)

    assert settings.issuer == "http://localhost:8000"
    assert settings.database_url == "sqlite:///data/oidc.db"
    assert settings.mail_from == "no-reply@localhost"
    assert settings.sign_up == "open"
    assert settings.access_token_lifetime == timedelta(minutes=10)
    assert len(settings.secret_keys) == 1
    assert settings.is_loopback
    assert not settings.secure_cookies


@pytest.mark.parametrize(
    ("bound", "issuer"),
    [
        ({"port": 9000}, "http://localhost:9000"),
        ({"host": "127.0.0.1", "port": 9000}, "http://localhost:9000"),
        ({"host": "::1", "port": 80}, "http://localhost"),
        ({"host": "localhost"}, "http://localhost:8000"),
    ],
)
def test_the_issuer_follows_the_port_when_bound_to_loopback(bound, issuer):
    assert load({}, None, **bound).issuer == issuer


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", ""])  # noqa: S104 - nothing listens here
def test_a_server_that_others_reach_needs_its_issuer(host):
    [problem] = problems_of({}, host=host)

    assert problem.startswith("OIDC_ISSUER: is needed")
    assert load({"OIDC_ISSUER": "https://id.example.com"}, None, host=host).secure_cookies


def test_defaults_follow_a_public_issuer():
    settings = load({"OIDC_ISSUER": "https://id.example.com:8443/sso"}, None)

    assert settings.sign_up == "invite"
    assert settings.mail_from == "no-reply@id.example.com"
    assert not settings.is_loopback


def test_mails_from_an_issuer_without_a_name_come_from_its_address():
    assert load({"OIDC_ISSUER": "https://192.0.2.1"}, None).mail_from == "no-reply@[192.0.2.1]"
    assert load({"OIDC_ISSUER": "https://[2001:db8::1]"}, None).mail_from == (
        "no-reply@[2001:db8::1]"
    )


def test_the_environment_beats_the_file_and_empty_counts_as_not_set_in_both(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text(
        "OIDC_BRAND_NAME='From the file'\nOIDC_SIGN_UP=closed\nOIDC_LEEWAY=\nOTHER=ignored\n"
        "OIDC_SECRET_KEY=abcdefghijklmnopqrstuvwxyz${HOME}0123456789\n"
    )

    settings = load({"OIDC_SIGN_UP": "invite", "OIDC_BRAND_NAME": ""}, env_file)

    assert settings.sign_up == "invite"
    assert settings.brand_name == "From the file"
    assert settings.leeway == timedelta(seconds=2)
    assert settings.secret_keys == ("abcdefghijklmnopqrstuvwxyz${HOME}0123456789",)


def test_the_environment_of_the_process_is_read_unless_one_is_given(monkeypatch):
    monkeypatch.setenv("OIDC_BRAND_NAME", "From the process")

    assert load(env_file=None).brand_name == "From the process"
    assert load({}, None).brand_name == "Your ID"


def test_every_problem_is_told_at_once_with_its_fix():
    told = str(SettingsError(problems_of({
        "OIDC_ISUER": "https://id.example.com",
        "OIDC_ISSUER": "https://id.example.com/",
        "OIDC_LOG_LEVEL": "verbose",
        "OIDC_RATE_LIMITS": "maybe",
        "OIDC_HASH_QUEUE": "0",
        "OIDC_ARGON2_TIME_COST": "two",
        "OIDC_LEEWAY": "5x",
        "OIDC_ACCESS_TOKEN_LIFETIME": "9d",
        "OIDC_DATABASE_URL": POSTGRESQL,
        "OIDC_SESSION_IDLE_LIFETIME": "30d",
        "OIDC_SESSION_ABSOLUTE_LIFETIME": "1d",
        "OIDC_TRUSTED_PROXIES": "*",
    })))  # fmt: skip

    for expected in (
        "OIDC_ISUER: is not a setting; did you mean OIDC_ISSUER?",
        "OIDC_ISSUER: leave out the slash at the end",
        "OIDC_LOG_LEVEL ('verbose'): should be 'debug', 'info', 'warning' or 'error'",
        "OIDC_RATE_LIMITS ('maybe'): write on or off",
        "OIDC_HASH_QUEUE ('0'): should be greater than or equal to 1",
        "OIDC_ARGON2_TIME_COST ('two'): should be a valid integer",
        "OIDC_LEEWAY ('5x'): write seconds, or a number",
        "OIDC_ACCESS_TOKEN_LIFETIME ('9d'): choose something from 1s to 1d",
        "OIDC_SECRET_KEY: PostgreSQL serves several nodes",
        "OIDC_SESSION_ABSOLUTE_LIFETIME ('1d'): choose at least OIDC_SESSION_IDLE_LIFETIME",
        "OIDC_TRUSTED_PROXIES ('*'): '*' would trust everybody",
    ):
        assert expected in told
    assert len(told.splitlines()) == 12


def test_no_secret_is_repeated_in_a_problem():
    told = problems_of({
        "OIDC_SECRET_KEY": "hidden-but-short",
        "OIDC_SMTP_URL": "smtp://me:hidden@mail.example.com?starttls=off",
        "OIDC_DATABASE_URL": "mysql://me:hidden@db/oidc",
        "OIDC_ISSUER": "https://me:hidden@id.example.com",
        "OIDC_SECRETKEY": "hidden",
    })  # fmt: skip

    assert len(told) == 5
    assert "hidden" not in "".join(told)


def test_no_secret_is_shown_when_the_settings_are_printed():
    settings = load({
        "OIDC_SECRET_KEY": "hidden" * 6,
        "OIDC_SMTP_URL": "smtp://me:hidden@mail.example.com",
        "OIDC_DATABASE_URL": POSTGRESQL,
    }, None)  # fmt: skip

    assert "hidden" not in f"{settings} {settings!r}"


def test_settings_do_not_change_once_read():
    settings = load({}, None)

    with pytest.raises(ValueError, match="frozen"):
        settings.brand_name = "Another"  # type: ignore[misc] # what is tried


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("OIDC_ISUER", "OIDC_ISSUER"),
        ("OIDC_DATABASE", "OIDC_DATABASE_URL"),
        ("OIDC_SECRET_KEYS", "OIDC_SECRET_KEY"),
        ("OIDC_SECRETKEY_FILE", "OIDC_SECRET_KEY_FILE"),
        ("oidc_issuer", "OIDC_ISSUER"),
        ("Oidc_Secret_Key_File", "OIDC_SECRET_KEY_FILE"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(name, nearest, tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text(f"{name}=x\n")

    assert problems_of({name: "x"}) == [f"{name}: is not a setting; did you mean {nearest}?"]
    assert problems_of({}, env_file) == [f"{name}: is not a setting; did you mean {nearest}?"]


def test_a_name_like_no_other_is_refused_too():
    assert problems_of({"OIDC_XYZZY": "x"}) == [
        "OIDC_XYZZY: is not a setting; the README lists all settings"
    ]


def test_what_kubernetes_adds_for_a_service_of_our_name_is_ignored():
    settings = load({
        "OIDC_SERVICE_HOST": "10.0.0.1",
        "OIDC_SERVICE_PORT": "80",
        "OIDC_SERVICE_PORT_HTTP": "80",
        "OIDC_PORT": "tcp://10.0.0.1:80",
        "OIDC_PORT_80_TCP": "tcp://10.0.0.1:80",
        "OIDC_PORT_80_TCP_ADDR": "10.0.0.1",
        "OIDC_SERVER_SERVICE_HOST": "10.0.0.1",
        "OIDC_SERVER_SERVICE_PORT_HTTP": "80",
        "OIDC_SERVER_PORT": "tcp://10.0.0.1:80",
        "OIDC_SERVER_PORT_80_TCP_PROTO": "tcp",
    }, None)  # fmt: skip

    assert settings.issuer == "http://localhost:8000"


def test_a_port_that_only_a_person_would_write_is_not_taken_for_kubernetes():
    assert problems_of({"OIDC_SMTP_PORT": "25"})


def test_no_setting_is_named_like_what_kubernetes_adds():
    assert [name for name in _KNOWN if not _is_ours(name, "tcp://10.0.0.1:80")] == []
    assert [name for name in _KNOWN if name.endswith("_FILE")] == []


def test_a_value_can_be_kept_in_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")

    settings = load({"OIDC_SECRET_KEY_FILE": str(secret)}, None)

    assert settings.secret_keys == (SECRET,)


def test_a_value_and_its_file_together_are_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)

    [problem] = problems_of({"OIDC_SECRET_KEY": SECRET, "OIDC_SECRET_KEY_FILE": str(secret)})

    assert "OIDC_SECRET_KEY: is set together with OIDC_SECRET_KEY_FILE" in problem


@pytest.mark.parametrize(("here", "there"), [("", "_FILE"), ("_FILE", "")])
def test_a_value_or_its_file_in_the_environment_beats_either_in_the_file(tmp_path, here, there):
    wanted, env_file = tmp_path / "wanted", tmp_path / ".env"
    wanted.write_text("Ours")
    env_file.write_text(f"OIDC_BRAND_NAME{there}=elsewhere\n")

    settings = load({f"OIDC_BRAND_NAME{here}": str(wanted) if here else "Ours"}, env_file)

    assert settings.brand_name == "Ours"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_a_problem_like_others(tmp_path, content):
    path = tmp_path / "brand"
    if content is not None:
        path.write_bytes(content)

    told = problems_of({"OIDC_BRAND_NAME_FILE": str(path), "OIDC_LEEWAY": "x"})

    assert len(told) == 2
    assert told[0].startswith(f"OIDC_BRAND_NAME_FILE: {path} cannot be read")


def test_several_secrets_may_be_given_the_newest_first():
    settings = load({"OIDC_SECRET_KEY": f"{'n' * 32}, {'o' * 32}"}, None)

    assert settings.secret_keys == ("n" * 32, "o" * 32)


def test_postgresql_needs_the_secret_that_its_nodes_share():
    [problem] = problems_of({"OIDC_DATABASE_URL": POSTGRESQL})

    assert problem.startswith("OIDC_SECRET_KEY: PostgreSQL")
    with_secret = load({"OIDC_DATABASE_URL": POSTGRESQL, "OIDC_SECRET_KEY": SECRET}, None)
    assert with_secret.secret_keys == (SECRET,)
    assert not Path("data").exists()


def test_a_sqlite_server_makes_its_secret_once_readable_to_its_owner_only():
    first = load({"OIDC_DATA_DIR": "kept/here"}, None)

    again = load({"OIDC_DATA_DIR": "kept/here"}, None)

    path = Path("kept/here/secret.key")
    assert first.secret_keys == again.secret_keys
    assert len(first.secret_keys[0]) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_a_secret_that_is_given_leaves_no_file():
    load({"OIDC_SECRET_KEY": SECRET}, None)

    assert not Path("data").exists()


def test_settings_that_cannot_be_used_leave_no_file():
    problems_of({"OIDC_LEEWAY": "x"})

    assert not Path("data").exists()


@pytest.mark.race
def test_processes_that_start_at_once_share_one_secret(tmp_path):
    context = multiprocessing.get_context("fork")

    with context.Pool(8) as pool:
        seen = pool.map(secret_in, [tmp_path / str(n // 8) for n in range(80)], chunksize=1)

    assert [len(set(seen[n : n + 8])) for n in range(0, 80, 8)] == [1] * 10


def secret_in(folder):
    return ensure_secret_key(folder)[0].get_secret_value()


@pytest.mark.parametrize("content", ["", "\n", "too short"])
def test_a_damaged_secret_file_is_not_replaced(tmp_path, content):
    path = tmp_path / "secret.key"
    path.write_text(content)

    with pytest.raises(SettingsError, match=r"secret\.key"):
        ensure_secret_key(tmp_path)

    assert path.read_text() == content


def test_a_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "data").write_text("a file")

    with pytest.raises(SettingsError, match="set OIDC_SECRET_KEY"):
        ensure_secret_key(tmp_path / "data")
