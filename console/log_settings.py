"""Logging settings: one JSON object per line on standard error, without secrets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog

from console import logs


def configure_structlog() -> None:
    """Send structlog's events to the handlers of the standard library."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            logs.withhold_keys,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logging_settings(secrets: Iterable[str], *, level: str) -> dict[str, Any]:
    """Return Django's LOGGING, with `secrets` removed from all output and `level` for the root logger."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    logs.render_exception,
                    logs.WithholdSecrets(secrets),
                    structlog.processors.JSONRenderer(),
                ],
                # Lines of Django and other libraries get the request ID too, because the error page shows it.
                "foreign_pre_chain": [
                    structlog.contextvars.merge_contextvars,
                    structlog.processors.TimeStamper(fmt="iso"),
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.add_log_level,
                    logs.withhold_keys,
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        # The doctor expects that some roles are denied, and our own rows and logs report every failure
        # anyway.
        "loggers": {"botocore": {"level": "WARNING"}, "botocore.credentials": {"level": "ERROR"}},
        "root": {"handlers": ["console"], "level": level},
    }
