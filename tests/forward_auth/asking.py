"""Asking as a gateway does: whether a request may pass, and with which headers."""

from httpx2 import Client, Response

PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
"""What a browser sends that wants a page."""


def ask(
    client: Client, demands: str = "", *, method: str = "GET", uri: str = "/reports/", **more: str
) -> Response:
    """Ask about a request; further headers are those of its client."""
    headers = {
        "x-forwarded-method": method,
        "x-forwarded-uri": uri,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return client.get(f"/forward-auth?{demands}", headers=headers)


def identity(response: Response) -> dict[str, str]:
    """What the service behind the gateway would be told."""
    return {
        name.removeprefix("x-auth-"): value
        for name, value in response.headers.items()
        if name.startswith("x-auth-")
    }
