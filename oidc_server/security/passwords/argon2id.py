"""Argon2id (RFC 9106) in memory that we allocate: huge pages save a third of its time.

A hash of 19 MB takes that much from the kernel and gives it back at once; in small pages that are
cleared one by one, a third of its time went there.
"""

import hmac
import mmap
import re
from base64 import b64decode
from contextlib import suppress
from typing import Any

from argon2.exceptions import HashingError
from argon2.low_level import Type, core, error_to_str, ffi

# What argon2 writes for version 1.3 without a key; numbers fit into 32 bits.
_ENCODED = re.compile(
    r"\$argon2id\$v=19\$m=([1-9]\d{0,8}),t=([1-9]\d{0,8}),p=([1-9]\d{0,8})"
    r"\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)",
    re.ASCII,
)
_VERSION = 0x13
_blocks: dict[int, tuple[mmap.mmap, Any]] = {}
"""Memory in use, by its address."""


def verify(encoded: str, secret: bytes) -> bool | None:
    """Whether `secret` made `encoded`; None if that is in another format.

    Raises `HashingError`, or ValueError where it is no hash after all.
    """
    found = _ENCODED.fullmatch(encoded)
    if found is None:
        return None
    memory_kib, time_cost, parallelism = map(int, found.groups()[:3])
    salt, tag = (_decoded(part) for part in found.groups()[3:])
    derived = _derive(secret, salt, len(tag), (time_cost, memory_kib, parallelism))
    return hmac.compare_digest(derived, tag)


def _decoded(part: str) -> bytes:
    return b64decode(part + "=" * (-len(part) % 4))


def _derive(secret: bytes, salt: bytes, length: int, costs: tuple[int, int, int]) -> bytes:
    tag, time_cost, memory_kib, parallelism = ffi.new("uint8_t[]", length), *costs
    given = ffi.new("uint8_t[]", secret), ffi.new("uint8_t[]", salt)
    context = ffi.new("argon2_context *", {
        "version": _VERSION,
        "out": tag, "outlen": length,
        "pwd": given[0], "pwdlen": len(secret),
        "salt": given[1], "saltlen": len(salt),
        "t_cost": time_cost, "m_cost": memory_kib, "lanes": parallelism, "threads": parallelism,
        **_MEMORY,
    })  # fmt: skip
    failed = core(context, Type.ID.value)
    if failed:
        raise HashingError(error_to_str(failed))
    return bytes(ffi.buffer(tag, length))


def _allocate(memory: Any, size: int) -> int:
    """Without memory the pointer stays empty, which the caller looks at."""
    try:
        block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        return 1
    with suppress(AttributeError, OSError):  # not every system has them
        block.madvise(mmap.MADV_HUGEPAGE)
    view = ffi.from_buffer(block)
    memory[0] = ffi.cast("uint8_t *", view)
    _blocks[_address(memory[0])] = block, view
    return 0


def _free(memory: Any, _size: int) -> None:
    block, view = _blocks.pop(_address(memory))
    ffi.release(view)
    block.close()


def _address(memory: Any) -> int:
    return int(ffi.cast("uintptr_t", memory))


def _own_memory() -> dict[str, Any]:
    """The callbacks that allocate and free memory for Argon2id, or none, which means malloc.

    Where no memory may be both writable and executable, cffi can make no callbacks.
    """
    try:
        return {
            "allocate_cbk": ffi.callback("int(uint8_t **, size_t)", _allocate),
            "free_cbk": ffi.callback("void(uint8_t *, size_t)", _free),
        }
    except MemoryError:
        return {}


_MEMORY = _own_memory()
