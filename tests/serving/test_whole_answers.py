"""What is sent past uvicorn's own checks is checked by us."""

from types import SimpleNamespace
from typing import Any

import pytest

from oidc_server.serving.whole_answers import InOnePiece


def cycle(**differently: Any) -> SimpleNamespace:
    """What is used of uvicorn's part of a request."""
    sent: list[bytes] = []
    nothing = lambda: None  # noqa: E731 - shorter here
    return SimpleNamespace(
        **{
            "sent": sent,
            "response_started": False,
            "response_complete": False,
            "disconnected": False,
            "keep_alive": True,
            "default_headers": [],
            "flow": SimpleNamespace(write_paused=False),
            "transport": SimpleNamespace(write=sent.append, close=nothing),
            "message_event": SimpleNamespace(set=nothing),
            "on_response": nothing,
            **differently,
        }
    )


@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r"])
def test_a_header_that_would_be_two_is_not_sent(ending: bytes) -> None:
    request = cycle()

    with pytest.raises(ValueError, match="CR or LF"):
        InOnePiece(request, None)(
            303, b"", [(b"location", b"/a" + ending + b"set-cookie: b=c")], b""
        )

    assert request.sent == []
    assert not request.response_started


@pytest.mark.parametrize(
    "state",
    [
        {"response_started": True},
        {"disconnected": True},
        {"flow": SimpleNamespace(write_paused=True)},
    ],
)
def test_what_cannot_be_sent_at_once_is_left_to_uvicorn(state: dict[str, Any]) -> None:
    request = cycle(**state)

    assert not InOnePiece(request, None)(200, b"", [], b"body")

    assert request.sent == []
