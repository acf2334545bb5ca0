"""What a single value of the settings may be."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from pydantic import SecretStr

from oidc_server.settings import SmtpServer, values


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90", timedelta(seconds=90)),
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        (" 12h ", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("0", timedelta()),
    ],
)
def test_a_duration_is_seconds_or_a_number_with_its_unit(text, duration):
    assert values.parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "m", "-5s", "1.5h", "10 m", "10min", "1h30m", "٣s", "9" * 10])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="such as 10m"):
        values.parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "59s", "1m", "90s", "1h", "36h", "2d"])
def test_a_duration_is_shown_as_it_would_be_written(text):
    assert values.parse_duration(values.format_duration(values.parse_duration(text))) == (
        values.parse_duration(text)
    )
    assert values.format_duration(timedelta(minutes=10)) == "10m"


@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.example.com",
        "https://id.example.com:8443",
        "https://example.com/sso",
        "https://example.com/sso/v1.2",
        "https://[2001:db8::1]",
        "https://xn--bcher-kva.example",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://127.9.9.9",
        "http://[::1]:8000",
    ],
)
def test_an_issuer_is_kept_letter_by_letter(issuer):
    assert values.check_issuer(issuer) == issuer


@pytest.mark.parametrize(
    ("issuer", "fix"),
    [
        ("", "whole address"),
        ("id.example.com", "whole address"),
        ("ftp://id.example.com", "whole address"),
        ("https://", "whole address"),
        ("http://id.example.com", "use https"),
        ("http://10.0.0.1", "use https"),
        ("http://localhost.example.com", "use https"),
        ("http://127.0.0.1.example.com", "use https"),
        ("https://id.example.com/", "slash"),
        ("https://id.example.com/sso/", "slash"),
        ("https://id.example.com?", "query"),
        ("https://id.example.com?a=b", "query"),
        ("https://id.example.com#", "fragment"),
        ("https://me@id.example.com", "user name"),
        ("https://me:secret@id.example.com", "user name"),
        ("https://ID.example.com", "lower case"),
        ("https://bücher.example", "xn--"),
        ("https://id..example.com", "lower case"),
        ("https://id_1.example.com", "lower case"),
        ("https://id.example.com:443", "leave out :443"),
        ("http://localhost:80", "leave out :80"),
        ("https://id.example.com:", "port"),
        ("https://id.example.com:0", "port"),
        ("https://id.example.com:08443", "port"),
        ("https://id.example.com:99999", "port"),
        ("https://id.example.com:٣", "port"),
        ("https://id.example.com//sso", "path"),
        ("https://id.example.com/a/../b", "path"),
        ("https://id.example.com/a%2Fb", "path"),
        ("https://id.example.com/a b", "path"),
        ("https://id.example.com/a;b", "path"),
        ("https://[2001:db8::1", "lower case"),
        ("https://[2001:DB8::1]", "lower case"),
        ("https://[2001:db8:0::1]", "lower case"),
        ("https://2001:db8::1", "lower case"),
        ("https://[::1]x", "lower case"),
        ("https://192.0.2.999", "lower case"),
        ("https://id.exa\nmple.com", "lower case"),
        ("https://id.example.com\n", "lower case"),
        ("https://id.example.com/a\n", "path"),
        (" https://id.example.com", "whole address"),
    ],
)
def test_an_issuer_with_more_than_one_spelling_or_without_tls_is_refused(issuer, fix):
    with pytest.raises(ValueError, match=fix):
        values.check_issuer(issuer)


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing listens here
        ("::", False),
        ("", False),
        ("example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_only_this_machine_is_loopback(host, is_loopback):
    assert values.is_loopback_host(host) is is_loopback


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("postgresql://u:p@h/db", "postgresql+psycopg2://u:p@h/db"),
        ("postgres://u:p@h:5432/db?sslmode=require", "postgresql+psycopg2://u:p@h:5432/db?sslmode=require"),
        ("postgresql+psycopg2:///db?host=/run", "postgresql+psycopg2:///db?host=/run"),
        ("sqlite:///data/oidc.db", "sqlite:///data/oidc.db"),
        ("sqlite+pysqlite:////var/oidc.db", "sqlite:////var/oidc.db"),
    ],
)  # fmt: skip
def test_a_database_url_is_written_in_one_way(text, url):
    assert values.parse_database_url(text) == url


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("", "write sqlite"),
        ("oidc.db", "write sqlite"),
        ("mysql://u:hidden@h/db", "use postgresql:// or sqlite:///"),
        ("postgresql+asyncpg://u:hidden@h/db", "psycopg2"),
        ("sqlite://", "name a file"),
        ("sqlite:///", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite:///?mode=memory", "name a file"),
        ("sqlite://oidc.db", "name a file"),
    ],
)
def test_another_database_is_refused_with_the_fix_but_not_repeated(text, fix):
    with pytest.raises(ValueError, match=fix) as refusal:
        values.parse_database_url(text)

    assert "hidden" not in str(refusal.value)


def test_networks_are_listed_with_commas():
    assert values.parse_networks("10.0.0.0/8, 192.0.2.7,\n2001:db8::/32,") == (
        ip_network("10.0.0.0/8"),
        ip_network("192.0.2.7/32"),
        ip_network("2001:db8::/32"),
    )


@pytest.mark.parametrize("text", ["*", "0.0.0.0/0", "::/0", "10.0.0.0/8,*"])
def test_trusting_everybody_is_refused(text):
    with pytest.raises(ValueError, match="trust everybody"):
        values.parse_networks(text)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.example.com", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ValueError, match=r"such as 10\.0\.0\.0/8"):
        values.parse_networks(text)


def test_every_secret_must_be_long():
    good, short = SecretStr("a" * 32), SecretStr("b" * 31)

    assert values.check_secrets([good, good]) == (good, good)
    with pytest.raises(ValueError, match="32 characters") as refusal:
        values.check_secrets([good, short])
    assert "bbb" not in str(refusal.value)


@pytest.mark.parametrize("address", ["no-reply@example.com", "id@localhost", "id@[192.0.2.1]"])
def test_a_bare_address_may_send_mail(address):
    assert values.check_address(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "example.com", "Me <me@example.com>", "a@b@c", "a@b\r\nBcc: c@d", "ä@example.com"],
)
def test_what_is_no_bare_address_may_not(address):
    with pytest.raises(ValueError, match="bare address"):
        values.check_address(address)


@pytest.mark.parametrize("name", ["two\nlines", "bell\a", " space", "\u202eright to left"])
def test_a_name_is_visible_text_on_one_line(name):
    with pytest.raises(ValueError, match="visible"):
        values.check_name(name)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 587, "required")),
        ("smtp://mail.example.com:25?starttls=off", SmtpServer("mail.example.com", 25, "off")),
        ("smtp://localhost:1025", SmtpServer("localhost", 1025, "off")),
        ("smtp://127.0.0.1", SmtpServer("127.0.0.1", 25, "off")),
        ("smtps://mail.example.com", SmtpServer("mail.example.com", 465, "implicit")),
        (
            "smtp://me%40example.com:p%3A%2F@mail.example.com:2525?starttls=required",
            SmtpServer("mail.example.com", 2525, "required", "me@example.com", "p:/"),
        ),
    ],
)
def test_a_mail_server_is_encrypted_unless_it_is_this_machine(url, server):
    assert values.parse_smtp_url(url) == server


@pytest.mark.parametrize(
    ("url", "fix"),
    [
        ("mail.example.com", "write smtp://"),
        ("http://mail.example.com", "write smtp://"),
        ("smtp://", "write smtp://"),
        ("smtp://mail.example.com/inbox", "write smtp://"),
        ("smtp://mail.exa\nmple.com", "write smtp://"),
        ("smtp://u:hidden@mail.example.com:port", "write smtp://"),
        ("smtp://mail.example.com?tls=1", "after '\\?'"),
        ("smtp://mail.example.com?starttls=maybe", "after '\\?'"),
        ("smtp://mail.example.com?starttls=off&x=y", "after '\\?'"),
        ("smtps://mail.example.com?starttls=off", "from the start"),
        ("smtp://u:hidden@mail.example.com?starttls=off", "unencrypted"),
        ("smtp://u:hidden@mail.example.com?starttls=optional", "unencrypted"),
    ],
)
def test_a_mail_server_that_would_leak_or_confuse_is_refused(url, fix):
    with pytest.raises(ValueError, match=fix) as refusal:
        values.parse_smtp_url(url)

    assert "hidden" not in str(refusal.value)


def test_the_password_of_the_mail_server_is_not_printed():
    assert "hidden" not in repr(values.parse_smtp_url("smtp://u:hidden@mail.example.com"))


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "https://app.example.com:8443",
        "https://xn--bcher-kva.example",
        "https://[2001:db8::1]:444",
        "http://localhost:5173",
        "http://intranet",
    ],
)
def test_an_origin_is_taken_as_browsers_send_it(origin):
    assert values.check_origin(origin) == origin


@pytest.mark.parametrize(
    ("origin", "fix"),
    [
        ("*", "list each origin by itself"),
        ("https://*.example.com", "list each origin by itself"),
        ("null", "list each origin by itself"),
        ("app.example.com", "such as https://app.example.com"),
        ("capacitor://localhost", "such as https://app.example.com"),
        ("https://", "such as https://app.example.com"),
        ("https://app.example.com/", "keep scheme, host and port"),
        ("https://app.example.com/login", "keep scheme, host and port"),
        ("https://app.example.com?x", "keep scheme, host and port"),
        ("https://me@app.example.com", "keep scheme, host and port"),
        ("https://App.example.com", "in lower case"),
        ("https://bücher.example", "xn-- form"),
        ("https://app.example.com:443", "leave out :443"),
        ("http://app.example.com:80", "leave out :80"),
        ("https://app.example.com:0", "no port"),
        ("https://app.example.com:99999", "no port"),
    ],
)
def test_what_browsers_would_not_send_is_no_origin(origin, fix):
    with pytest.raises(ValueError, match=fix) as refused:
        values.check_origin(origin)

    assert origin in str(refused.value)


def test_no_more_scopes_are_opened_than_a_client_has_room_for():
    assert len(values.check_scopes(tuple(f"notes:{count}" for count in range(30)))) == 30
    with pytest.raises(ValueError, match="at most 30"):
        values.check_scopes(tuple(f"notes:{count}" for count in range(31)))


@pytest.mark.parametrize("scope", ["notes:read notes:write", 'a"b', "a\\b", "é"])
def test_what_is_no_scope_is_refused(scope):
    assert values.check_scopes(("notes:read", "https://api.example.com/notes")) is not None
    with pytest.raises(ValueError, match="with commas between"):
        values.check_scopes(("notes:read", scope))
