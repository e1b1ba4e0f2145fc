"""Lets workers discard broker messages that they can’t read, and continue."""

from __future__ import annotations

from typing import Any

import structlog
from kombu.transport import redis

logger = structlog.get_logger(__name__)


class RedisChannel(redis.Channel):  # type: ignore[misc]
    """Redis channel of Kombu that skips malformed messages.

    Kombu's own channel ends the worker on a message that isn’t JSON or lacks Kombu's fields, so anyone who
    can write to Redis could keep every worker down.
    """

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            # The message is off the queue already.
            logger.error("broker.message_refused", error=type(error).__name__)
            return True


def refuse_malformed_messages() -> None:
    """Make every Redis connection use this channel."""
    redis.Transport.Channel = RedisChannel
