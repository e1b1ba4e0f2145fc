"""Typed readers of environment variables; errors name the variable and stop the start."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class ConfigurationError(Exception):
    """A setting is missing or malformed; the message names the variable and says what to write."""


PREPARED_AFTER = "5"
"""Number of runs after which a connection prepares a statement (iam.prepared_statements)."""
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _raw(name: str) -> str | None:
    """Return the variable, or the content of the file in `NAME_FILE`; None if neither is set."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name) or None
    if os.environ.get(name):
        raise ConfigurationError(f"Both {name} and {name}_FILE are set: keep one of them.")
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"{name}_FILE points to {file}, which can’t be read: {error.strerror}."
        ) from error
    if not text:
        raise ConfigurationError(f"{name}_FILE points to {file}, which is empty.")
    return text


def text(name: str, default: str | None = None, *, why: str = "") -> str:
    """Read a string; without a default the variable is required."""
    value = _raw(name)
    if value is not None:
        return value
    if default is None:
        raise ConfigurationError(f"{name} is not set. {why}".strip())
    return default


def kept_secret(path: Path) -> str:
    """Return the random secret in a file, creating it on first use; used by the embedded default.

    If two processes start at once, one of them creates it.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64), encoding="utf-8")
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="utf-8")


def flag(name: str, *, default: bool) -> bool:
    """Read a yes or no."""
    value = _raw(name)
    if value is None:
        return default
    if value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise ConfigurationError(f"{name} is {value!r}: write true or false.")


def number(name: str, default: int, *, low: int = 0, high: int = 2**31) -> int:
    """Read a whole number within bounds."""
    value = _raw(name)
    if value is None:
        return default
    try:
        result = int(value)
    except ValueError:
        raise ConfigurationError(f"{name} is {value!r}: write a whole number.") from None
    if not low <= result <= high:
        raise ConfigurationError(f"{name} is {result}: it must be between {low} and {high}.")
    return result


def retention(var: Path) -> tuple[int, str, int]:
    """Return (journal days, export folder, evidence days).

    Journal entries older than the first number are exported to the folder and removed, and files of evidence
    packs older than the last one are deleted; 0 means never. PCI DSS 10.5.1 requires twelve months of
    journal.
    """
    days = number("GATEHOUSE_JOURNAL_DAYS", 0, high=36_500)
    if 0 < days < 366:
        raise ConfigurationError(
            f"GATEHOUSE_JOURNAL_DAYS is {days}: write 366 or more, or 0 to keep entries for ever."
        )
    exports = text("GATEHOUSE_JOURNAL_EXPORTS", str(var / "journal"))
    return days, exports, number("GATEHOUSE_EVIDENCE_DAYS", 0, high=36_500)


def word_list(name: str, default: tuple[str, ...] | None = (), *, why: str = "") -> list[str]:
    """Read a list separated by commas."""
    value = _raw(name)
    if value is None:
        if default is None:
            raise ConfigurationError(f"{name} is not set. {why}".strip())
        return list(default)
    return [part.strip() for part in value.split(",") if part.strip()]


def file(name: str) -> str:
    """Read the path of a readable file; "" if the variable isn’t set."""
    path = text(name, "")
    if path and not os.access(path, os.R_OK):
        raise ConfigurationError(f"{name} is {path!r}: the file is missing, or Gatehouse can’t read it.")
    return path


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Read one of the allowed values."""
    value = text(name, default)
    if value not in allowed:
        raise ConfigurationError(f"{name} is {value!r}: it must be one of {', '.join(allowed)}.")
    return value


def redis_url(name: str, default: str | None, *, or_folder: bool = False) -> str:
    """Read a broker URL for Celery; `or_folder` also allows a folder, which works without Redis on one
    machine.
    """
    value = text(name, default, why="Write the address of Redis, such as redis://localhost:6379/0.")
    parts = urlsplit(value)
    if or_folder and parts.scheme == "filesystem":
        return value
    if parts.scheme not in {"redis", "rediss", "redis+socket"}:
        raise ConfigurationError(
            f"{name} starts with {parts.scheme!r}: write redis://, rediss:// or redis+socket://."
        )
    if parts.scheme in {"redis", "rediss"} and not parts.hostname:
        raise ConfigurationError(f"{name} names no host: write redis://HOST:6379/0.")
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in dict(parse_qsl(parts.query)):
        # Without this parameter Celery accepts any certificate.
        return f"{value}{'&' if parts.query else '?'}ssl_cert_reqs=required"
    return value


def cache_url(broker: str) -> str:
    """Convert the broker URL to one for Django's cache, which spells sockets differently."""
    if not broker.startswith("redis+socket://"):
        return broker
    return broker.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=", 1)


def database(name: str, default: str | None) -> dict[str, object]:
    """Read a database URL and return Django's settings: sqlite:///PATH or
    postgres://USER:PASSWORD@HOST/NAME.
    """
    value = text(
        name, default, why="Write the address of PostgreSQL, such as postgres://gatehouse:…@db/gatehouse."
    )
    parts = urlsplit(value)
    if parts.scheme == "sqlite":
        path = parts.path[1:] if parts.path.startswith("//") else parts.path
        return _sqlite(path)
    if parts.scheme in {"postgres", "postgresql"}:
        return _postgres(name, value)
    raise ConfigurationError(f"{name} starts with {parts.scheme!r}: write postgres://… or sqlite:///….")


def _sqlite(path: str) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # A new connection reads the whole schema, which takes a tenth of the time of a page. Kept this long,
        # it also survives in a worker that gets one message per minute.
        "CONN_MAX_AGE": 3600,
        # Measured: without IMMEDIATE and the timeout, contended transactions fail with "database is locked".
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;",
        },
    }


def _postgres(name: str, value: str) -> dict[str, object]:
    parts = urlsplit(value)
    database_name = unquote(parts.path.lstrip("/"))
    if not database_name:
        raise ConfigurationError(f"{name} names no database: write postgres://USER:PASSWORD@HOST/NAME.")
    options = dict(parse_qsl(parts.query))
    try:
        port = str(parts.port or "")
    except ValueError:
        raise ConfigurationError(f"{name} has an invalid port: use a number from 1 to 65535.") from None
    threshold = options.pop("prepare_threshold", PREPARED_AFTER)
    if not threshold.isdecimal() and threshold != "off":
        raise ConfigurationError(f"{name} has an invalid prepare_threshold: use a whole number, or off.")
    prepared_after = None if threshold == "off" else int(threshold)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database_name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": port,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"prepare_threshold": prepared_after, **options},
    }
