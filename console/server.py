"""The command of the web server: Granian with the options that it is given, whose processes share what this
one has loaded.

Granian forks its web processes. The application is loaded once, before that: a process that is started again
answers at once, and the memory of what it does not change is there once for all. What holds a connection or a
thread is made by each process (`console.rsgi`).
"""

from __future__ import annotations

import gc
import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from granian.cli import entrypoint

TARGET = ("--interface", "rsgi", "console.rsgi:serve")


def load() -> None:
    """Load what every web process needs. Raises ImproperlyConfigured with a sentence."""
    from console.web.startup import refuse_credentials

    refuse_credentials()
    django.setup()

    from console.web.warm_up import load_pages, read_images_ahead

    load_pages()
    # The garbage collector writes into what it looks through, and each process would get a copy of that.
    gc.collect()
    gc.freeze()
    read_images_ahead()
    gc.freeze()


def main() -> None:
    """Load the application, then serve it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    try:
        load()
    except ImproperlyConfigured as error:
        raise SystemExit(f"Gatehouse does not start. {error}") from None
    sys.argv[1:1] = TARGET
    entrypoint()


if __name__ == "__main__":
    main()
