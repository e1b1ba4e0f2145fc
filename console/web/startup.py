"""Checks that must pass before a process serves requests or runs tasks."""

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

# All variables from which boto3 takes credentials.
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
CONNECTION_SECONDS: Final = 3600
"""The age at which a thread of the web server replaces its connection to PostgreSQL."""
CONNECT_SECONDS: Final = 2
"""A request that waits longer for a connection answers that the database is unreachable."""


def credentials_in(environment: Mapping[str, str]) -> list[str]:
    """Return the names of variables and files that would give this process AWS credentials, never their
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
    """Raise ImproperlyConfigured if the web server has AWS credentials in production.

    Runs first, before anything slow is loaded.
    """
    if not settings.EMBEDDED and (names := credentials_in(os.environ)):
        raise ImproperlyConfigured(
            f"The web server must hold no AWS credentials, but finds {', '.join(names)}. "
            "Give them to the Celery workers alone."
        )


def end_one_at_a_time() -> None:
    """Let only one of several refusing Granian workers exit, while the others wait until Granian ends them.

    Granian exits if a worker that it just restarted exits again, but forgets which one that was as soon as
    another one exits: two workers that refuse in turn would be restarted forever.
    """
    if sys.platform != "linux":
        return
    mark = socket.socket(socket.AF_UNIX)
    try:
        # An abstract socket name, taken until this process ends.
        mark.bind(f"\0gatehouse-refused-{os.getppid()}")
    except OSError:
        # Granian's workers ignore SIGTERM until they serve.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(WAITS_TO_BE_ENDED_SECONDS)
    else:
        # Long enough that workers started at the same time find the name taken.
        time.sleep(ENDS_AFTER_SECONDS)
    mark.detach()


def before_serving() -> None:
    """Check before the web server serves that it has no AWS credentials and that the journal is protected.

    Also holds changes after a restored backup. Raises an error with a message for the operator.
    """
    refuse_credentials()
    assert_protected()
    _hold_after_restore()


def keep_connections() -> None:
    """Let each thread of the web server keep its connection to PostgreSQL, and what is prepared there.

    The threads are few and never end (`console.rsgi`). A connection is tested before each request
    (CONN_HEALTH_CHECKS), so one that a restart of PostgreSQL closed is replaced without an error.
    """
    from console.web.unavailable import leave_alone_after_outages

    database = connections.settings[DEFAULT_DB_ALIAS]
    if database["ENGINE"] == "django.db.backends.postgresql":
        database["CONN_MAX_AGE"] = CONNECTION_SECONDS
        database["OPTIONS"] = {"connect_timeout": CONNECT_SECONDS, **database["OPTIONS"]}
        leave_alone_after_outages()


def before_working() -> None:
    """Check before a Celery worker starts that the clock is right and the journal is protected.

    Also holds changes after a restored backup. Raises an error with a message for the operator.
    """
    clock.assert_right()
    assert_protected()
    _hold_after_restore()


def _hold_after_restore() -> None:
    # Imports models, which `refuse_credentials` must not wait for.
    from console.restored_backup import detect

    detect()
