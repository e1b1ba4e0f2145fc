"""What must be true before a process serves anybody."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections

from iam.journal import clock
from iam.journal.checks import assert_protected

# Every way in which boto3 takes credentials from the environment of a process.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/credentials.html
CREDENTIAL_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)

ENDS_AFTER_SECONDS: Final = 1.0
WAITS_TO_BE_ENDED_SECONDS: Final = 20.0
# PostgreSQL connections of one web process at most; anyone who waits longer than the seconds is told of an
# unreachable database. Each is tried before it is handed out (CONN_HEALTH_CHECKS): one that a restart of
# PostgreSQL cut off is replaced, and no page notices.
POOL = {"min_size": 1, "max_size": 10, "timeout": 2.0, "reconnect_timeout": 5.0}


def credentials_in(environment: Mapping[str, str]) -> list[str]:
    """Names of variables, and of credential files, that would give this process AWS credentials. Never their
    values.
    """
    names = [name for name in CREDENTIAL_VARIABLES if environment.get(name)]
    for name, default in (
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        ("AWS_CONFIG_FILE", "~/.aws/config"),
    ):
        file = Path(environment.get(name) or default).expanduser()
        try:
            if file.is_file():
                named = f"{name} ({file})" if environment.get(name) else str(file)
                names.append(named)
        except OSError:
            continue
    return names


def refuse_credentials() -> None:
    """For the web server, before anything slow: it holds no AWS credentials in production. Raises
    ImproperlyConfigured with a sentence.
    """
    if not settings.EMBEDDED and (names := credentials_in(os.environ)):
        raise ImproperlyConfigured(
            f"The web server must hold no AWS credentials, but finds {', '.join(names)}. "
            "Give them to the Celery workers alone."
        )


def end_one_at_a_time() -> None:
    """For a worker of Granian that refuses to start: return soon in one of them, and let the others wait to
    be ended.

    Granian ends when a worker that it has just started again ends too, but forgets which one that was as soon
    as another one ends: two workers that refuse in turn would be started again without end.
    """
    if sys.platform != "linux":
        return
    mark = socket.socket(socket.AF_UNIX)
    try:
        # A name without a file, taken until this process ends.
        mark.bind(f"\0gatehouse-refused-{os.getppid()}")
    except OSError:
        # Granian's workers ignore it until they serve.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(WAITS_TO_BE_ENDED_SECONDS)
    else:
        # So long that those who were started together find the mark taken.
        time.sleep(ENDS_AFTER_SECONDS)
    mark.detach()


def before_serving() -> None:
    """For the web server: it holds no AWS credentials in production, and the journal is protected. Raises
    with a sentence.
    """
    refuse_credentials()
    assert_protected()
    _hold_after_restore()


def share_connections() -> None:
    """Let the threads of the web server draw on one pool of connections to PostgreSQL.

    Granian ends idle threads without closing what they hold: with a connection to each thread, a few busy
    hours use up all that the database allows, for the workers as well.
    """
    database = connections.settings[DEFAULT_DB_ALIAS]
    if database["ENGINE"] == "django.db.backends.postgresql":
        database["CONN_MAX_AGE"] = 0
        database["OPTIONS"] = {**database["OPTIONS"], "pool": POOL}


def before_working() -> None:
    """For a Celery worker: the clock is right, and the journal is protected. Raises with a sentence."""
    clock.assert_right()
    assert_protected()
    _hold_after_restore()


def _hold_after_restore() -> None:
    # Models: the credentials are looked at before the applications are loaded.
    from console.restored_backup import detect

    detect()
