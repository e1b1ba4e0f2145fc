"""The cache that all web processes share: signed JSON in Redis, or the memory of each process while Redis is
unreachable.
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
"""Length in hexadecimal digits of the SHA-256 signature before the JSON."""
TIMEOUT_S = 1.0
"""Seconds to wait for Redis."""
LEAVE_ALONE = 5.0
"""Seconds without another attempt after Redis did not answer."""


class TextSerializer:
    """Serializer that passes text through; SignedCache verifies the signature and parses the JSON."""

    def dumps(self, value: str) -> str:
        """Return the text unchanged."""
        return value

    def loads(self, data: bytes) -> str:
        """Decode UTF-8; invalid bytes are replaced, so that no signature matches them."""
        return data.decode(errors="replace")


class SignedCache(RedisCache):
    """Cache of JSON values that are signed together with their keys.

    Someone who can write to Redis can neither run code in a web process, as with Django's pickle, nor give a
    page an unexpected value. Values without a valid signature count as missing.
    """

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """Return the value, or the default if it is missing or its signature is invalid."""
        return self._opened(key, super().get(key, None, version=version), default, version)

    def get_many(self, keys: Any, version: Any = None) -> dict[Any, Any]:
        """Return the values that exist and have a valid signature."""
        kept = super().get_many(list(keys), version=version)
        opened = {key: self._opened(key, text, _NOTHING, version) for key, text in kept.items()}
        return {key: value for key, value in opened.items() if value is not _NOTHING}

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        """Sign and store the value."""
        super().set(key, self._signed(key, value, version), timeout, version=version)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Sign and store the value unless the key exists; return whether it was stored."""
        return bool(super().add(key, self._signed(key, value, version), timeout, version=version))

    def set_many(self, data: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> list[Any]:
        """Sign and store the values."""
        signed = {key: self._signed(key, value, version) for key, value in data.items()}
        return list(super().set_many(signed, timeout, version=version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Read, add and write, because Redis can’t increment a signed value; not atomic."""
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
    """SignedCache that falls back to the memory of this process while Redis is unreachable.

    Pages keep working: counts are calculated again, and each process limits attempts and remembers used codes
    on its own. The lock of console.operators.locks is in the database.
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
