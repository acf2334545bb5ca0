"""`oidc-server doctor` through a proxy that does TLS: certificates, and headers on the way."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.services.command_line import CommandLine
from tests.services.deployment import settings_for
from tests.services.nginx import Start, around
from tests.services.ports import free_port
from tests.services.ready_databases import ReadyDatabases
from tests.services.server import running_server

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)
CERTIFICATES = {
    "good": ("localhost", -DAY, 90 * DAY),
    "soon": ("localhost", -80 * DAY, 5 * DAY),
    "expired": ("localhost", -90 * DAY, -DAY),
    "elsewhere": ("id.example.com", -DAY, 90 * DAY),
}
"""For which host, from when until when."""
HEADERS = {
    "bare": "proxy_hide_header strict-transport-security;",
    "twice": "add_header strict-transport-security max-age=60 always;",
}
"""What else a proxy may do to our answers, with the good certificate."""
SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate}.pem;
        ssl_certificate_key {certificate}.key;
        location / {{
            proxy_pass {upstream};
            proxy_set_header host $http_host;
            proxy_set_header x-forwarded-for $remote_addr;
            {further}
        }}
    }}
"""


class Authority:
    """Whoever signs certificates; `doctor` trusts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])
        self.file = folder / "authority.pem"
        self._write("authority", self._name, self._key, (-DAY, DAY), x509.BasicConstraints(True, 0))

    def certify(self, file: str, host: str, begins: timedelta, ends: timedelta) -> None:
        """Write `file`.pem and `file`.key for a host; the times are from now on."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        self._write(file, subject, key, (begins, ends), names)
        (self._folder / f"{file}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    def _write(
        self,
        file: str,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        times: tuple[timedelta, timedelta],
        extension: x509.ExtensionType,
    ) -> None:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + times[0])
            .not_valid_after(now + times[1])
            .add_extension(extension, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        path = self._folder / f"{file}.pem"
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


@dataclass(frozen=True)
class Proxied:
    """A server behind a proxy with one port for each way to do TLS."""

    command_line: CommandLine
    ports: dict[str, int]

    def told(self, way: str) -> tuple[int, list[tuple[str, str]]]:
        """The status of `doctor`, and what it says of TLS: results and findings."""
        done = self.command_line.run(
            "doctor", "--json", "--url", f"https://localhost:{self.ports[way]}"
        )
        rows = json.loads(done.stdout)
        found = [(row["result"], row["finding"]) for row in rows if row["check"] == "TLS"]
        return done.returncode, found


@pytest.fixture(scope="module")
def proxied(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    ready_databases: ReadyDatabases,
    nginx: Start,
) -> Iterator[Proxied]:
    folder, proxy = tmp_path_factory.mktemp("proxied"), tmp_path_factory.mktemp("proxy")
    ports = {way: free_port() for way in (*CERTIFICATES, *HEADERS)}
    authority = Authority(proxy)
    for file, facts in CERTIFICATES.items():
        authority.certify(file, *facts)
    with ExitStack() as stack:
        url = stack.enter_context(ready_databases.copy(request, "sqlite", folder))
        settings = settings_for(
            url,
            folder,
            issuer=f"https://localhost:{ports['good']}",
            trusted_proxies="127.0.0.1",
        )
        server = stack.enter_context(running_server(folder, settings))
        servers = [
            SERVER.format(
                port=port,
                certificate=way if way in CERTIFICATES else "good",
                upstream=server.base_url,
                further=HEADERS.get(way, ""),
            )
            for way, port in ports.items()
        ]
        (proxy / "nginx.conf").write_text(around("".join(servers)))
        stack.enter_context(nginx(proxy, ports["good"], {}))
        typed = {**settings, "SSL_CERT_FILE": str(authority.file)}
        yield Proxied(CommandLine(folder, typed), ports)


def test_a_certificate_that_is_good_for_long_is_told_with_its_days(proxied: Proxied) -> None:
    status, found = proxied.told("good")

    assert (status, found) == (0, [("ok", "The certificate ends in 89 days.")])


def test_one_that_ends_soon_is_a_warning(proxied: Proxied) -> None:
    status, found = proxied.told("soon")

    assert (status, found) == (0, [("warn", "The certificate ends in 4 days; renew it.")])


@pytest.mark.parametrize(
    ("way", "why", "fix"),
    [
        ("expired", "certificate has expired", "renew it"),
        ("elsewhere", "not valid for 'localhost'", "get one for this name"),
    ],
)
def test_one_that_clients_refuse_is_a_failure(
    proxied: Proxied, way: str, why: str, fix: str
) -> None:
    status, [(result, finding)] = proxied.told(way)

    assert (status, result) == (1, "fail")
    assert why in finding
    assert finding.endswith(f"{fix}.")


def test_one_that_nobody_known_has_signed_is_a_failure(proxied: Proxied) -> None:
    line = proxied.command_line
    settings = {name: value for name, value in line.settings.items() if name != "SSL_CERT_FILE"}
    stranger = Proxied(CommandLine(line.folder, settings), proxied.ports)

    status, [(result, finding)] = stranger.told("good")

    assert (status, result) == (1, "fail")
    assert finding.endswith("with the certificates between.")


@pytest.mark.parametrize(("way", "times"), [("bare", 0), ("twice", 2)])
def test_a_proxy_that_takes_or_adds_what_keeps_browsers_on_tls_is_a_warning(
    proxied: Proxied, way: str, times: int
) -> None:
    status, found = proxied.told(way)

    words = f"Strict-Transport-Security comes {times} times; let the proxy leave the headers of"
    assert (status, found[0][0]) == (0, "ok")
    assert found[1:] == [("warn", f"{words} answers alone.")]
