"""Route names and the paths behind them: how features refer to each other."""

from collections.abc import Mapping
from urllib.parse import urlencode


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
