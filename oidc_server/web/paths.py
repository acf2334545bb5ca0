"""Route names and the paths behind them: how features refer to each other."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

# Two slashes, or a slash and a backslash, would begin the name of another host (RFC 3986 §4.2).
_ON_THIS_HOST = re.compile(r"/(?![/\\])[!-\[\]-~]*", re.ASCII)


def is_on_this_host(address: str) -> bool:
    """Whether a browser that is sent there stays on this host: a path, and perhaps a query."""
    return _ON_THIS_HOST.fullmatch(address) is not None


class Paths:
    """Path templates by route name, e.g. `authorization.resume` → `/authorize/{request_id}`."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = dict(templates)

    def path(self, name: str, **parameters: str | None) -> str:
        """The path of a route; parameters it has no place for become its query, None is left out.

        Raises KeyError for a name that is no route.
        """
        path = self._templates[name]
        query = {}
        for key, value in parameters.items():
            if value is None:
                continue
            if f"{{{key}}}" in path:
                path = path.replace(f"{{{key}}}", value)
            else:
                query[key] = value
        return f"{path}?{urlencode(query)}" if query else path
