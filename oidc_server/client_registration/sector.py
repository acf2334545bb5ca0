"""`sector_identifier_uri`: a document that names the redirect URIs of one sector (Core §8.1)."""

import json
from datetime import timedelta

from oidc_server.domain.client_metadata import ClientMetadata, InvalidClientMetadataError
from oidc_server.outbound.addresses import OutboundRefusedError, OutboundUnavailableError
from oidc_server.outbound.documents import Purpose
from oidc_server.web.context import Context


def check_sector(ctx: Context, metadata: ClientMetadata) -> None:
    """Whoever serves the document has to know every redirect URI (OIDC Registration §5).

    Raises `InvalidClientMetadataError`, and `FetchNeeded` until the document is here.
    """
    uri = metadata.sector_identifier_uri
    if uri is None:
        return
    try:
        listed = ctx.runtime.documents.get(_SECTOR, uri, ctx.now)
    except (OutboundRefusedError, OutboundUnavailableError):
        raise InvalidClientMetadataError(
            "sector_identifier_uri: no list of redirect URIs could be fetched from there."
        ) from None
    if not listed.issuperset(metadata.redirect_uris):
        raise InvalidClientMetadataError(
            "sector_identifier_uri: the document there does not list every redirect URI."
        )


def _parse(body: bytes) -> frozenset[str]:
    try:
        listed = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(listed, list) or not all(isinstance(uri, str) for uri in listed):
        raise ValueError("not a list of strings")
    return frozenset(listed)


_SECTOR = Purpose(
    name="sector_identifier_uri",
    accept="application/json",
    lifetime=timedelta(minutes=1),
    stale_lifetime=timedelta(),
    parse=_parse,
    self_registered=True,
)
