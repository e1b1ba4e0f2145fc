"""The web server of `make run`. It loads the code while the database is prepared, and serves after that."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import django
from django.conf import settings

from console.demo.children import follow_leader
from console.demo.supervisor import PREPARED

CHECK_SECONDS: Final = 0.02


def wait_until_prepared(var: Path) -> None:
    """Wait for the file in the data folder. The process ends with its parent, so it doesn't wait for ever."""
    while not (var / PREPARED).exists():
        time.sleep(CHECK_SECONDS)


follow_leader()
django.setup()

from console.web.warm_up import load_pages  # noqa: E402  (needs Django)

load_pages()
wait_until_prepared(settings.VAR)

from console.rsgi import serve  # noqa: E402  (checks the database)

__all__ = ["serve"]
