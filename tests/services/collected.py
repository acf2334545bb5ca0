"""What is made while tests are collected stays to the end: nobody looks through it for garbage."""

import gc
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """They are ten thousand and the whole program, and would be looked through many times."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
