"""What a worker does with a message that it cannot read: it leaves it out, and goes on."""

from __future__ import annotations

from typing import Any

import structlog
from kombu.transport import redis

logger = structlog.get_logger(__name__)


class RedisChannel(redis.Channel):  # type: ignore[misc]
    """Kombu's channel ends the worker's loop, and with it the worker, for a message that isn’t JSON or lacks
    what kombu puts in. Anyone who can write to Redis could so keep every worker down.
    """

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            # It is taken from the queue already.
            logger.error("broker.message_refused", error=type(error).__name__)
            return True


def refuse_malformed_messages() -> None:
    """Have every connection to Redis use the channel above."""
    redis.Transport.Channel = RedisChannel
