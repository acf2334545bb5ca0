"""Documents of others, as this process keeps them."""

from datetime import timedelta

from oidc_server.outbound.documents import Documents, Purpose
from tests.outbound.test_http import client
from tests.services.external_service import external_service, saying
from tests.site import BEGINNING, TestClock

WORDS = Purpose("words", "text/plain", timedelta(minutes=5), timedelta(hours=1), bytes.decode)
SELF_REGISTERED = WORDS.of_client(self_registered=True)


def test_documents_of_self_registered_clients_displace_none_of_others():
    clock = TestClock()
    documents = Documents(client(), clock)
    with external_service(saying(b"kept")) as other:
        documents.fetch(WORDS, other.url())

    for number in range(1100):
        documents.fetch(SELF_REGISTERED, f"ftp://{number}.example")  # refused, and remembered too
    clock.advance(timedelta(minutes=30))
    documents.fetch(WORDS, other.url())

    assert documents.get(WORDS, other.url(), BEGINNING + timedelta(minutes=30)) == "kept"
