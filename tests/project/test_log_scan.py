"""The search for secrets in the logs of the tests finds some."""

import httpx2
import pytest

from tests.services import log_scan


@pytest.mark.parametrize(
    "line",
    [
        "x eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "hash $argon2id$v=19$m=64",
        "-----BEGIN PRIVATE KEY-----",
        "Authorization: Basic YWJjZGVmOmFiY2RlZmdoaWprbA==",
        "the password is a long enough passphrase",
    ],
)
def test_what_looks_like_a_secret_is_found(line):
    with pytest.raises(AssertionError, match="a log holds a secret"):
        log_scan.check(f"one\n{line}\ntwo")


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, json={"access_token": "opaque-value-0123456789"}),
        httpx2.Response(200, json={"recovery_codes": ["opaque-value-0123456789"]}),
        httpx2.Response(303, headers={"location": "/cb?state=1&code=opaque-value-0123456789"}),
        httpx2.Response(200, headers={"set-cookie": "s=opaque-value-0123456789; Secure"}),
        httpx2.Response(201, json={"request_uri": "urn:x:opaque-value-0123456789"}),
    ],
)
def test_what_an_answer_gave_is_found_in_whatever_it_stands(answer, monkeypatch):
    monkeypatch.setattr(log_scan, "_remembered", set())

    log_scan.remember(answer)

    with pytest.raises(AssertionError, match="a log holds a secret"):
        log_scan.check('{"event":"GET /cb?code=opaque-value-0123456789&x=1"}')
    log_scan.check('{"event":"GET /cb?code=***"}')


def test_the_link_on_the_terminal_is_no_line_of_the_log():
    log_scan.check("Set it up, once: http://localhost/setup/$argon2")
