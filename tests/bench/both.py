"""A measurement on SQLite and on PostgreSQL, each in a process of its own, since settings are read once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from tests.services import postgres

Figures = list[dict[str, Any]]


def on_both(module: str) -> Figures:
    """The figures that a module prints, as JSON in its last line, for the database whose name it is given and
    DATABASE_URL leads to.
    """
    name = module.rpartition(".")[2]
    with tempfile.TemporaryDirectory(prefix=f"gatehouse-{name}-") as folder:
        figures = _on(module, "SQLite", f"sqlite:///{folder}/{name}.sqlite3", folder)
        if reason := postgres.why_missing():
            print(f"skipped: {name} on PostgreSQL ({reason})", file=sys.stderr)
            return figures
        cluster = postgres.Cluster.start()
        try:
            return figures + _on(module, "PostgreSQL", cluster.url, folder)
        finally:
            cluster.stop()


def _on(module: str, database: str, url: str, folder: str) -> Figures:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": folder,
        "DATABASE_URL": url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "-m", module, database],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout.splitlines()[-1]))
