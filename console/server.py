"""Command of the web server: Granian with its options, whose web processes share the loaded application.

The application is loaded once before Granian forks its web processes. A restarted process answers at once,
and unchanged memory exists only once. Each process creates its own connections and threads (`console.rsgi`).
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
    """Load everything that web processes need. Raises ImproperlyConfigured with a message."""
    from console.web.startup import refuse_credentials

    refuse_credentials()
    django.setup()

    from console.web.warm_up import load_pages, read_images_ahead

    load_pages()
    # The garbage collector writes to the objects it visits, so each process would get its own copy of them.
    gc.collect()
    gc.freeze()
    read_images_ahead()
    gc.freeze()


def main() -> None:
    """Load the application, then run the server."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    try:
        load()
    except ImproperlyConfigured as error:
        raise SystemExit(f"Gatehouse does not start. {error}") from None
    sys.argv[1:1] = TARGET
    entrypoint()


if __name__ == "__main__":
    main()
