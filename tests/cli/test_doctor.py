"""`oidc-server doctor`: each finding says what to do."""

import json
import re
from resource import RLIMIT_NOFILE, getrlimit

import pytest

from oidc_server.database import Database
from tests.client_assertions import KEYS, key_set
from tests.services.ports import free_port

SECRET = "a secret of the tests that is long enough to be one"
PRODUCTION = {
    "OIDC_ISSUER": "https://id.example.com",
    "OIDC_ARGON2_MEMORY_KIB": "19456",
}


@pytest.fixture
def nobody():
    """An issuer at which nobody serves."""
    return f"http://localhost:{free_port()}"


@pytest.fixture
def settings(monkeypatch, data_dir, nobody):
    """Set settings over those of the test's data folder."""
    monkeypatch.setenv("OIDC_ISSUER", nobody)

    def settings(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return settings


def added(run, kind, redirect_uri, *options):
    """The client_id of a new client."""
    redirect = () if redirect_uri is None else ("--redirect-uri", redirect_uri)
    made = run("clients", "add", "--name", "A", "--type", kind, *redirect, *options, "--json")
    assert made.status == 0, made.stderr
    return made.json["client_id"]


def rewrite(data_dir, client_id, text, other):
    """What an older version, or an import, let into the metadata of a client."""
    database = Database(f"sqlite:///{data_dir / 'oidc.db'}")
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE clients SET metadata = replace(metadata, ?, ?) WHERE client_id = ?",
            (text, other, client_id),
        )
    database.close()


def findings(done, result=None):
    """Name → finding, of one result or of all."""
    return {
        row["check"]: row["finding"]
        for row in done.json
        if result is None or row["result"] == result
    }


def test_a_server_with_everything_in_order_has_nothing_to_mend(run, settings, smtp):
    settings(**PRODUCTION)
    settings(OIDC_SMTP_URL=f"smtp://{smtp.host}:{smtp.port}")

    done = run("doctor", "--json")

    assert done.status == 0
    assert not findings(done, "fail")
    assert findings(done, "warn").keys() == {"reached"}  # as nobody serves here
    assert list(findings(done)) == [
        "database", "clock", "migrations", "signing key", "key rotation", "logouts", "reached",
        "issuer", "mail", "registration", "origins", "limits", "passwords", "access tokens",
        "open files",
    ]  # fmt: skip


def test_what_is_for_trying_only_is_a_warning_and_no_failure(run, settings, nobody):
    settings(OIDC_RATE_LIMITS="off")

    done = run("doctor", "--json")

    assert done.status == 0
    told = findings(done, "warn")
    assert told.pop("reached").startswith(f"Nobody answers at {nobody} (")
    assert told == {
        "issuer": f"{nobody} is for this machine only; set OIDC_ISSUER to the https address"
        " that people will use.",
        "mail": "No mail is sent; set OIDC_SMTP_URL.",
        "limits": "OIDC_RATE_LIMITS=off is for measurements only; set on.",
        "passwords": "Set OIDC_ARGON2_MEMORY_KIB to 19456.",
    }


def test_limits_are_told_with_their_figures_and_who_counts(run, settings):
    settings(OIDC_RATE_LIMIT_PAGES="77", OIDC_RATE_LIMIT_SIGN_INS="11")

    told = findings(run("doctor", "--json"), "ok")["limits"]

    assert told.startswith("Each process counts by itself, per minute: pages 77, ")
    assert "sign-ins 11" in told
    assert told.endswith("With several workers or nodes, set OIDC_REDIS_URL.")


def test_a_redis_that_is_away_is_a_warning_that_keeps_its_password(run, settings):
    settings(OIDC_REDIS_URL=f"redis://:hush-hush@127.0.0.1:{free_port()}/0")

    done = run("doctor", "--json")

    assert findings(done, "warn")["limits"].startswith("Redis does not answer")
    assert "hush-hush" not in done.stdout + done.stderr


def test_a_redis_that_answers_is_told(run, settings, redis):
    settings(OIDC_REDIS_URL=redis.url)

    told = findings(run("doctor", "--json"), "ok")["limits"]

    assert told.startswith("All processes count together in Redis, per minute: pages 100, ")


def test_open_registration_on_a_public_address_is_a_warning(run, settings):
    settings(**PRODUCTION, OIDC_REGISTRATION="open")

    done = run("doctor", "--json")

    assert findings(done, "warn").keys() >= {"registration"}


def test_clients_that_fall_short_are_named_and_the_others_counted(run, data_dir):
    database = Database(f"sqlite:///{data_dir / 'oidc.db'}")
    web = ("clients", "add", "--name", "A", "--type", "web", "--redirect-uri", "https://a.example/")
    run(*web)
    lax = run(*web, "--no-pkce", "--json").json["client_id"]
    old = run("clients", "add", "--name", "B", "--type", "service", "--grant-type", "password",
              "--json").json["client_id"]  # fmt: skip
    aged = run(*web, "--json").json["client_id"]
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE client_secrets SET created_at = created_at - 366 * 86400000000"
            " WHERE client_id = ?",
            (aged,),
        )
    database.close()

    done = run("doctor", "--json")

    assert findings(done, "ok")["clients"] == "1 of 4 do as RFC 9700 asks."
    assert "PKCE" in findings(done, "warn")[f"client A ({lax})"]
    assert "clients rotate-secret" in findings(done, "warn")[f"client A ({aged})"]
    assert "password grant" in findings(done, "warn")[f"client B ({old})"]


def test_each_shortcoming_of_a_client_has_a_line_with_its_fix(run, settings, data_dir):
    settings(**PRODUCTION)
    at_our_origin = added(run, "spa", "https://id.example.com/app/")
    posed_as = added(run, "native", "com.example.app:/back", "--skip-consent")
    wild = added(run, "web", "https://a.example/")
    rewrite(data_dir, wild, "https://a.example/", "https://*.a.example/")
    disabled = added(run, "web", "http://localhost:9000/", "--no-pkce")
    assert run("clients", "disable", disabled).status == 0

    done = run("doctor", "--json")

    told = findings(done, "warn")
    assert "RFC 6454" in told[f"client A ({at_our_origin})"]
    assert "give it a host of its own" in told[f"client A ({at_our_origin})"]
    assert "set skip_consent to false" in told[f"client A ({posed_as})"]
    assert "https://*.a.example/, which would not be accepted today" in told[f"client A ({wild})"]
    assert "clients edit CLIENT_ID --redirect-uri" in told[f"client A ({wild})"]
    assert f"client A ({disabled})" not in told
    assert "clients" not in findings(done, "ok")
    assert done.status == 0


def test_what_clients_could_do_better_is_advice_and_nothing_is_wrong(run, settings):
    settings(**PRODUCTION)
    webs = [f"A ({added(run, 'web', f'https://app{number}.example.net/')})" for number in range(4)]
    above = added(run, "spa", "https://app.id.example.com/")
    native = added(run, "native", "com.example.app:/back")
    added(run, "service", None, "--introspect", "--exchange")

    done = run("doctor", "--json")

    assert "7 of 7 do as RFC 9700 asks." in findings(done, "ok")["clients"]
    told = findings(done, "advice")
    assert told.keys() == {
        "client authentication", "sender constraint", "back-channel logout", "introspection",
        "token exchange", "names below ours", "private-use schemes",
    }  # fmt: skip
    assert told["client authentication"].startswith(
        f"5 of 7 clients authenticate with a secret that both sides know: {', '.join(webs[:3])}"
        " and 2 more; with private_key_jwt"
    )
    assert told["sender constraint"].startswith("7 of 7 clients ")
    assert told["back-channel logout"].startswith("6 of 7 clients ")
    assert told["names below ours"].startswith(f"1 of 7 clients are at a host below that of the"
                                               f" issuer: A ({above}); ")  # fmt: skip
    assert f": A ({native}); " in told["private-use schemes"]
    assert "resources edit IDENTIFIER --client CLIENT_ID" in told["introspection"]
    assert done.status == 0


def test_an_edit_that_is_advised_can_be_typed_as_it_stands(run, settings):
    settings(**PRODUCTION)
    added(run, "native", "com.example.app:/back", "--skip-consent")
    client_id = added(run, "web", "https://a.example/", "--no-pkce", "--exchange")

    told = "\n".join(row["finding"] for row in run("doctor", "--json").json)

    sent = re.findall(r"echo '(.*)' \| oidc-server clients edit CLIENT_ID --metadata -", told)
    done = [
        run("clients", "edit", client_id, "--metadata", "-", "--json", stdin=json_)
        for json_ in sent
    ]
    assert len(sent) == told.count("clients edit") == 6
    assert [edit.status for edit in done] == [0] * 6
    assert {name for text in sent for name in json.loads(text)} <= done[-1].json.keys()


def test_a_client_that_does_all_of_it_gets_no_advice(run, settings, tmp_path):
    settings(**PRODUCTION)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(key_set(KEYS["ES256"])))
    added(
        run, "web", "https://a.example/", "--profile", "fapi2", "--jwks", str(keys),
        "--backchannel-logout-uri", "https://a.example/logout",
    )  # fmt: skip

    done = run("doctor", "--json")

    assert findings(done, "ok")["clients"] == "1 of 1 do as RFC 9700 asks."
    assert not findings(done, "advice")


def test_the_client_of_the_documentation_is_ours_and_may_be_at_our_origin(run, settings):
    settings(**PRODUCTION)
    added(run, "spa", "https://id.example.com/docs/signed-in")

    done = run("doctor", "--json")

    assert findings(done, "ok")["clients"] == "1 of 1 do as RFC 9700 asks."


def test_an_origin_without_tls_is_a_warning_in_production(run, settings):
    settings(OIDC_CORS_ORIGINS="https://a.example,http://b.example,http://localhost:5173")

    here = findings(run("doctor", "--json"), "ok")["origins"]
    settings(**PRODUCTION)
    there = findings(run("doctor", "--json"), "warn")["origins"]

    assert here == "3 are listed, beside those of applications."
    assert "scripts of http://b.example, http://localhost:5173; use https" in there


def test_a_scope_for_registration_that_no_resource_server_has_is_a_warning(run, settings):
    run("resources", "add", "https://notes.example", "--scope", "notes:read")
    settings(OIDC_REGISTRATION_SCOPES="zzzz,notes:red,notes:read")

    misspelt = [
        row for row in run("doctor", "--json").json if row["check"] == "registration scopes"
    ]
    settings(OIDC_REGISTRATION_SCOPES="notes:read")

    told = "OIDC_REGISTRATION_SCOPES: There is no scope"
    assert [row["finding"] for row in misspelt] == [
        f"{told} notes:red; did you mean notes:read?",
        f"{told} zzzz; add the resource server that has it first.",
    ]
    assert {row["result"] for row in misspelt} == {"warn"}
    assert "registration scopes" not in findings(run("doctor", "--json"))


def test_a_database_that_is_away_is_a_failure(run, settings):
    address = f"127.0.0.1:{free_port()}"
    settings(OIDC_DATABASE_URL=f"postgresql://oidc:hunter22@{address}/oidc", OIDC_SECRET_KEY=SECRET)

    done = run("doctor", "--json")

    assert done.status == 1
    assert list(findings(done, "fail")) == ["database"]
    assert findings(done)["database"].endswith("Start it, or correct OIDC_DATABASE_URL.")
    assert "hunter22" not in done.stdout + done.stderr


def test_missing_migrations_are_a_failure_with_the_command_that_helps(run, settings, tmp_path):
    (tmp_path / "empty").mkdir()
    settings(OIDC_DATA_DIR=str(tmp_path / "empty"))

    done = run("doctor", "--json")

    assert done.status == 1
    assert "oidc-server db upgrade" in findings(done, "fail")["migrations"]
    assert run("db", "upgrade").status == 0
    assert run("doctor").status == 0


def test_a_secret_that_opens_nothing_is_a_failure(run, settings):
    settings(OIDC_SECRET_KEY=SECRET)

    done = run("doctor", "--json")

    assert done.status == 1
    assert "OIDC_SECRET_KEY" in findings(done, "fail")["signing key"]


def test_a_database_without_signing_keys_is_a_failure(run, data_dir):
    database = Database(f"sqlite:///{data_dir / 'oidc.db'}")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM signing_keys")
    database.close()

    done = run("doctor", "--json")

    assert done.status == 1
    assert "oidc-server db upgrade" in findings(done, "fail")["signing key"]


def test_findings_are_lines_for_people(run):
    lines = run("doctor").stdout.splitlines()

    assert lines[0].split() == ["check", "result", "finding"]
    assert lines[1].split(maxsplit=2) == ["database", "ok", "It answers."]


def test_keys_that_should_have_been_replaced_are_a_warning(run, data_dir):
    database = Database(f"sqlite:///{data_dir / 'oidc.db'}")
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE signing_keys SET activates_at = activates_at - 91 * 86400000000"
            " WHERE alg = 'ES256'"
        )
    database.close()

    done = run("doctor", "--json")

    assert done.status == 0
    assert "Overdue for ES256" in findings(done, "warn")["key rotation"]


def test_a_mail_server_that_does_not_take_us_is_a_failure(run, settings):
    settings(OIDC_SMTP_URL=f"smtp://me:hush-hush@127.0.0.1:{free_port()}")

    done = run("doctor", "--json")

    assert done.status == 1
    assert "see OIDC_SMTP_URL" in findings(done, "fail")["mail"]
    assert "hush-hush" not in done.stdout


def test_what_is_for_development_only_is_a_warning_in_production(run, settings):
    settings(OIDC_ISSUER=PRODUCTION["OIDC_ISSUER"], OIDC_ACCESS_TOKEN_LIFETIME="1d")
    local = run("clients", "add", "--name", "A", "--type", "web", "--redirect-uri",
                "http://localhost:9000/", "--json").json["client_id"]  # fmt: skip

    done = run("doctor", "--json")

    assert "without TLS" in findings(done, "warn")[f"client A ({local})"]
    assert "OIDC_ACCESS_TOKEN_LIFETIME" in findings(done, "warn")["access tokens"]


def test_a_system_that_allows_too_few_connections_is_a_warning(run, settings):
    settings(OIDC_MAX_CONNECTIONS=str(getrlimit(RLIMIT_NOFILE)[1]))

    done = run("doctor", "--json")

    assert "raise the hard limit" in findings(done, "warn")["open files"]
