"""Start the stand-in for a test or a measurement, and stop it again."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.bench.fakeaws.http import serve
from tests.bench.fakeaws.world import Options, World


@contextlib.contextmanager
def in_thread(options: Options) -> Iterator[tuple[str, World]]:
    """(address, world) of a stand-in in a thread of this process, for tests that look into it."""
    world = World(options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fakeaws", daemon=True)
    thread.start()
    # In its own thread from the first step: a browser of the tests keeps a loop in this one.
    server = asyncio.run_coroutine_threadsafe(serve(world, host="127.0.0.1", port=0), loop).result(10)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", world
    finally:
        asyncio.run_coroutine_threadsafe(_close(server, world), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _close(server: asyncio.Server, world: World) -> None:
    server.close()
    for transport in list(world.connections):
        transport.abort()
    while world.connections:
        await asyncio.sleep(0.001)


@contextlib.contextmanager
def in_process(**options: Any) -> Iterator[str]:
    """The address of a stand-in in a process of its own, so that its work is not measured."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.fakeaws", "--port", "0", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "http://" not in line:
            raise RuntimeError(f"fakeaws did not start: {line!r}")
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


def control(address: str, request: str) -> bytes:
    """Send a control request such as "_touch?n=500", and give its JSON."""
    message = urllib.request.Request(f"{address}/{request}", method="POST")
    with urllib.request.urlopen(message, timeout=60) as answer:
        content: bytes = answer.read()
    return content
