"""Every setting says what it is for, and the example file knows them all."""

import re
from pathlib import Path

import pytest

from oidc_server.settings import Settings, describe, load

ROOT = Path(__file__).parents[2]


def test_every_setting_is_described_with_its_default():
    rows = describe()

    assert [row.name for row in rows] == [f"OIDC_{name.upper()}" for name in Settings.model_fields]
    assert [row.name for row in rows if not row.description.endswith(".") or not row.default] == []


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("OIDC_ACCESS_TOKEN_LIFETIME", "`10m`"),
        ("OIDC_RATE_LIMITS", "`on`"),
        ("OIDC_TRUSTED_PROXIES", "none"),
        ("OIDC_BRAND_NAME", "`Your ID`"),
        ("OIDC_DATABASE_URL", "`sqlite:///<data_dir>/oidc.db`"),
    ],
)
def test_a_default_is_described_as_it_would_be_written(name, default):
    assert {row.name: row.default for row in describe()}[name] == default


def test_the_default_that_is_described_is_the_one_that_holds():
    """Writing every described default into the environment changes nothing."""
    literal = {row.name: re.fullmatch(r"`([^`<]+)`", row.default) for row in describe()}
    given = {name: match[1] for name, match in literal.items() if match}
    secret = {"OIDC_SECRET_KEY": "s" * 32}

    assert len(given) > 20
    assert load(given | secret, None) == load(secret, None)


def test_the_example_file_shows_every_setting_and_no_other():
    example = (ROOT / ".env.example").read_text()

    shown = re.findall(r"^#(OIDC_\w+)=", example, re.MULTILINE)

    assert sorted(shown) == sorted(row.name for row in describe())


def test_the_example_file_can_be_used_as_it_is_and_line_by_line(tmp_path):
    example = (ROOT / ".env.example").read_text()
    opened = tmp_path / ".env"
    opened.write_text(re.sub(r"^#(OIDC_\w+=)", r"\1", example, flags=re.MULTILINE))

    settings = load({"OIDC_SECRET_KEY": "s" * 32}, opened)

    assert settings.issuer == "https://id.example.com"
    assert load({"OIDC_SECRET_KEY": "s" * 32}, ROOT / ".env.example").sign_up == "open"


def test_the_mail_server_is_taken_apart_for_the_transport():
    settings = load({"OIDC_SMTP_URL": "smtps://me:pw@mail.example.com", "OIDC_SECRET_KEY": "s" * 32}, None)  # fmt: skip  # noqa: E501

    assert settings.smtp_server is not None
    assert (settings.smtp_server.host, settings.smtp_server.password) == ("mail.example.com", "pw")
    assert load({"OIDC_SECRET_KEY": "s" * 32}, None).smtp_server is None
