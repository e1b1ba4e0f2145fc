"""The cache that all web processes share: in Redis, as JSON, and in the memory of each process while Redis cannot be reached."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, cast

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)
PATIENCE = 1.0
"""Seconds to wait for Redis."""
LEAVE_ALONE = 5.0
"""Seconds for which nobody asks Redis again after it did not answer."""


class JsonSerializer:
    """Instead of Django's pickle: whoever can write to Redis shall not run code in a web process."""

    def dumps(self, value: object) -> int | str:
        """An integer as it is, so that Redis can count with it; everything else as JSON."""
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: bytes) -> Any:
        """What was stored."""
        return json.loads(data)


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


class SharedCache(RedisCache):
    """Pages go on without Redis: counts are found anew, and each process brakes attempts and remembers used codes by itself
    (the lock of console.operators.locks is in the database)."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {
            "serializer": JsonSerializer,
            "socket_connect_timeout": PATIENCE,
            "socket_timeout": PATIENCE,
        }
        super().__init__(server, params | {"OPTIONS": options | params.get("OPTIONS", {})})
        self.own = LocMemCache(f"beside {server}", cast(Any, params))
        self.not_before = 0.0


for _name in (
    "get", "set", "add", "touch", "delete", "has_key", "incr", "get_many", "set_many", "delete_many", "clear",
):  # fmt: skip
    setattr(SharedCache, _name, _patient(_name))
