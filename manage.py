#!/usr/bin/env python
"""Django's command line for Gatehouse."""

import json
import os
import sys
from pathlib import Path


def join_embedded() -> None:
    """Take the addresses of a running embedded Gatehouse, so that commands in another terminal meet the same
    AWS and queue.
    """
    if os.environ.get("GATEHOUSE_MODE", "embedded") != "embedded" or "AWS_ENDPOINT_URL" in os.environ:
        return
    var = Path(os.environ.get("GATEHOUSE_VAR", Path(__file__).resolve().parent / "var"))
    file = var / "environment.json"
    if file.exists():
        for name, value in json.loads(file.read_text(encoding="utf-8")).items():
            os.environ.setdefault(name, value)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    join_embedded()
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has enough of it; nothing is left for the interpreter to
        # flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
