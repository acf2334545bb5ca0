"""Providers that others wrote, or that run elsewhere: oidc-provider, and another one of us."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from oidc_server.domain import identity_providers
from oidc_server.domain.identity_providers import Description
from tests.authentication.forms import new_browser, post
from tests.authentication.providers.leaving import come_back, leave
from tests.services import run
from tests.services.databases import sqlite_url
from tests.services.node import FOLDER

CALLBACK = "http://localhost:8000/login/providers/acme/callback"
CLIENT = {"client_id": "us", "client_secret": "a secret", "redirect_uri": CALLBACK}


@pytest.fixture(scope="module")
def database_url(tmp_path_factory):
    """One database will do: what is tried here is what others answer."""
    return sqlite_url(tmp_path_factory.mktemp("database"))


@pytest.fixture
def browser(site):
    site.clock.now = datetime.now(UTC)
    return new_browser(site)


def add(site, issuer, client_id, client_secret, **said):
    description = Description(label="Acme", client_id=client_id, **said)
    with site.db() as db:
        identity_providers.add(
            db,
            site.runtime.vault,
            name="acme",
            issuer=issuer,
            description=description,
            client_secret=client_secret,
            now=site.clock.now,
        )


@contextmanager
def oidc_provider(node) -> Iterator[str]:
    command = [node.program, "oidc_provider.js", json.dumps(CLIENT)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=FOLDER, env=run.clean_environment(), stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read().decode()
            yield f"http://127.0.0.1:{json.loads(line)['listening']}"
        finally:
            process.kill()


def test_oidc_provider_signs_people_in(site, browser, node):
    with oidc_provider(node) as issuer, httpx2.Client() as there:
        add(site, issuer, "us", "a secret", trusts_email=True)

        page = come_back(browser, _walk(there, leave(browser)))
        made = post(browser, page, username="ada", email="ada@there.example")
        again = new_browser(site)
        home = come_back(again, _walk(there, leave(again)))

    assert "has confirmed this address" in page.text
    assert made.headers["location"] == "/account"
    assert str(home.url).endswith("/account")


def test_another_one_of_us_signs_people_in(site, browser, deploy_sqlite):
    other = deploy_sqlite(workers=1)
    person = other.make_user()
    made = other.command_line.json(
        *("clients", "add", "--name", "Here", "--type", "web"),
        *("--redirect-uri", CALLBACK, "--skip-consent"),
    )
    add(site, other.issuer, made["client_id"], made["client_secret"], trusts_email=True)
    there = other.browser()

    answer = there.log_in(there.go(leave(browser)), person)
    page = come_back(browser, urlsplit(answer.headers["location"]).query)

    assert f'value="{person.email}"' in page.text
    assert "has confirmed this address" in page.text


def _walk(there: httpx2.Client, url: str) -> str:
    """Sign in and agree, wherever it leads, until it leads back; returns the query."""
    response = there.get(url)
    for _ in range(12):
        location = response.headers.get("location")
        if location is not None:
            url = urljoin(str(response.url), location)
            if url.startswith(CALLBACK):
                return urlsplit(url).query
            response = there.get(url)
            continue
        found = re.search(r'<form[^>]*action="([^"]+)"', response.text)
        assert found, response.text
        prompt = "login" if 'value="login"' in response.text else "consent"
        fields = {"prompt": prompt, "login": "ada", "password": "any"}
        response = there.post(urljoin(str(response.url), unescape(found[1])), data=fields)
    raise AssertionError(response.text)
