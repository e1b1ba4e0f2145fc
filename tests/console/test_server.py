"""What the processes of the web server share is loaded before them; nothing is that must not be shared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import gc, sys, threading
import django
from django.conf import settings
settings.DEBUG
long_ones = []
gc.callbacks.append(lambda phase, collection: long_ones.extend({collection["generation"]} - {0}))
django.setup()
print(gc.isenabled(), gc.get_freeze_count() > 100_000, long_ones)
from console import server
server.load()
from django.db import connections
print(threading.active_count(), [one for one in connections.all() if one.connection])
print("console.rsgi" in sys.modules)
before = set(sys.modules)
from django.urls import resolve
resolve("/access/who-can/")
print(sorted(name for name in set(sys.modules) - before if name.startswith(("console", "iam"))))
"""


def test_the_code_of_all_pages_is_loaded_without_a_thread_or_a_connection() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True True []", "1 []", "False", "[]"], done.stderr


ENDED = """
import asyncio, os, sys, types
sys.modules["console.wsgi"] = types.SimpleNamespace(application=None)
sys.modules["console.web.warm_up"] = types.SimpleNamespace(read_ahead=print, load_pages=print)
from console import rsgi
rsgi.LOOP_CHECK_SECONDS = 0.1
loop = asyncio.new_event_loop()
loop.run_until_complete(asyncio.sleep(0))
try:
    rsgi._in_loop(loop, print)
except OSError as error:
    print(error, flush=True)
os._exit(0)
"""


def test_a_request_that_outlives_its_server_does_not_keep_the_process(tmp_path: Path) -> None:
    environment = os.environ | {"GATEHOUSE_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ENDED],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=120,
    )
    assert done.stdout.strip() == "The server has stopped.", done.stderr
