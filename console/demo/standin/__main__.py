"""`python -m console.demo.standin --host 127.0.0.1 --port N --state DIR`: serve until SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

POLL_SECONDS = 5.0
"""The interval in seconds at which the server checks for shutdown. A signal doesn't wake it."""


def main() -> int:
    """Serve the sample organization until the process is stopped. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m console.demo.standin", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=4580, help="port to listen on")
    parser.add_argument("--state", type=Path, help="folder for the writes, so that they survive a restart")
    parser.add_argument("--trail", type=Path, help="folder for CloudTrail log files of what is called")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    began = time.monotonic()
    from console.demo.standin.delivery import TrailDelivery
    from console.demo.standin.server import StandinServer
    from console.demo.standin.startup import prepare

    world = prepare(state=options.state)
    if options.trail is not None:
        world.delivery = TrailDelivery(options.trail)
        world.delivery.start()
    try:
        server = StandinServer((options.host, options.port), world)
    except OSError as error:
        sys.stderr.write(f"The stand-in cannot listen on {options.host}:{options.port}: {error.strerror}.\n")
        return 1
    ready = f"AWS stand-in on http://{options.host}:{options.port} after {time.monotonic() - began:.1f} s\n"
    sys.stdout.write(ready)
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=POLL_SECONDS)
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


def _end(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
