"""The cache that all web processes share: in Redis, as signed JSON, and in the memory of each process while
Redis cannot be reached.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, cast

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.utils.crypto import constant_time_compare, salted_hmac
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)
_NOTHING = object()
SIGNATURE = 64
"""Hexadecimal digits of SHA-256 before the JSON."""
TIMEOUT_S = 1.0
"""Seconds to wait for Redis."""
LEAVE_ALONE = 5.0
"""Seconds for which nobody asks Redis again after it did not answer."""


class TextSerializer:
    """Text as it is: what is in it is looked at after its signature (SignedCache)."""

    def dumps(self, value: str) -> str:
        """The text."""
        return value

    def loads(self, data: bytes) -> str:
        """The text; bytes that are none match no signature."""
        return data.decode(errors="replace")


class SignedCache(RedisCache):
    """Values are JSON, signed with their keys: someone who can write to Redis can run no code in a web
    process (Django would unpickle), and can hand no page a value that it does not expect. What is not signed
    so counts as not there.
    """

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """The value, or the default."""
        return self._opened(key, super().get(key, None, version=version), default, version)

    def get_many(self, keys: Any, version: Any = None) -> dict[Any, Any]:
        """Those that are there."""
        kept = super().get_many(list(keys), version=version)
        opened = {key: self._opened(key, text, _NOTHING, version) for key, text in kept.items()}
        return {key: value for key, value in opened.items() if value is not _NOTHING}

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        """Keep it."""
        super().set(key, self._signed(key, value, version), timeout, version=version)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Keep it, unless there is one."""
        return bool(super().add(key, self._signed(key, value, version), timeout, version=version))

    def set_many(self, data: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> list[Any]:
        """Keep them."""
        signed = {key: self._signed(key, value, version) for key, value in data.items()}
        return list(super().set_many(signed, timeout, version=version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Read, add and write: Redis cannot count in what is signed."""
        return BaseCache.incr(self, key, delta, version)

    def _signed(self, key: Any, value: Any, version: Any) -> str:
        text = json.dumps(value)
        return f"{self._signature(key, text, version)}{text}"

    def _opened(self, key: Any, text: Any, default: Any, version: Any) -> Any:
        if not isinstance(text, str) or len(text) <= SIGNATURE:
            return default
        signature, content = text[:SIGNATURE], text[SIGNATURE:]
        if not constant_time_compare(signature, self._signature(key, content, version)):
            logger.error("cache.value_refused", key=str(key)[:80])
            return default
        return json.loads(content)

    def _signature(self, key: Any, text: str, version: Any) -> str:
        named = f"{self.make_key(key, version=version)}\n{text}"
        return salted_hmac("console.web.cache", named, algorithm="sha256").hexdigest()


def _patient(name: str) -> Callable[..., Any]:
    def method(self: SharedCache, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self.not_before:
            try:
                return getattr(super(SharedCache, self), name)(*args, **kwargs)
            except (RedisError, OSError) as error:
                self.not_before = time.monotonic() + LEAVE_ALONE
                logger.error("cache.unreachable", error=type(error).__name__)
        return getattr(self.own, name)(*args, **kwargs)

    return method


class SharedCache(SignedCache):
    """Pages go on without Redis: counts are found anew, and each process brakes attempts and remembers used
    codes by itself (the lock of console.operators.locks is in the database).
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {
            "serializer": TextSerializer,
            "socket_connect_timeout": TIMEOUT_S,
            "socket_timeout": TIMEOUT_S,
        }
        super().__init__(server, params | {"OPTIONS": options | params.get("OPTIONS", {})})
        self.own = LocMemCache(f"beside {server}", cast(Any, params))
        self.not_before = 0.0


for _name in (
    "get", "set", "add", "touch", "delete", "has_key", "incr", "get_many", "set_many", "delete_many", "clear",
):  # fmt: skip
    setattr(SharedCache, _name, _patient(_name))
