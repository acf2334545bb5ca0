"""/openapi.json: the description of the API, the same bytes for everybody."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256

import orjson

from oidc_server.api.operations import Operation
from oidc_server.api_docs.document import document
from oidc_server.web.context import Context
from oidc_server.web.endpoint import Handler
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response, not_modified, public_json

_MAX_AGE = 300


def describing(operations: Sequence[Operation], endpoints: Mapping[str, str]) -> Handler:
    """What tells of these operations. `endpoints` are routes, by their names in RFC 8414.

    The document is made when it is asked for first: whoever never looks at it does not wait for it.
    """

    @lru_cache(maxsize=1)
    def written(
        issuer: str, name: str, addresses: tuple[tuple[str, str], ...]
    ) -> tuple[bytes, str]:
        described = document(operations, issuer=issuer, name=name, endpoints=dict(addresses))
        body = orjson.dumps(described)
        return body, f'"{sha256(body).hexdigest()[:32]}"'

    def show_description(ctx: Context) -> Response:
        runtime = ctx.runtime
        if not runtime.settings.api_docs:
            raise NotFoundError
        addresses = tuple((name, ctx.url(route)) for name, route in endpoints.items())

        body, tag = written(runtime.issuer, runtime.settings.brand_name, addresses)

        known = [one.strip() for one in (ctx.incoming.header("if-none-match") or "").split(",")]
        response = public_json(body, max_age=_MAX_AGE)
        if tag in known or f"W/{tag}" in known or "*" in known:
            response = not_modified(response)
        return response.with_header("etag", tag)

    return show_description
