"""The mails that the server has written, read as their recipient would."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from oidc_server.domain import outbox
from oidc_server.jobs import mail_delivery
from oidc_server.outbound.mail import Mail
from tests.site import Site

_LINK = re.compile(r"https://\S+")


def read_mails(site: Site) -> list[Mail]:
    """Every mail since the last call, oldest first."""
    mails: list[Mail] = []
    while True:
        with site.db() as db:
            item = outbox.lease(db, site.clock.now, timedelta(minutes=5))
            if item is None:
                return mails
            mails.append(mail_delivery.compose(site.runtime, db, item))
            outbox.delivered(db, item, site.clock.now)


def link_in(mail: Mail) -> str:
    """Path and query of the link in a mail, which leads to us and nowhere else."""
    found = _LINK.search(mail.text)
    assert found is not None, mail.text
    parts = urlsplit(found[0])
    assert f"{parts.scheme}://{parts.netloc}" == "https://id.example.com", found[0]
    return f"{parts.path}?{parts.query}"
