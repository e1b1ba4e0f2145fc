"""`python -m tests.bench.proxy --upstream http://127.0.0.1:PORT`: prints its own address, serves until
SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.proxy.faults import Faults
from tests.bench.proxy.server import Proxy
from tests.bench.proxy.writes import Log


async def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.proxy", description=__doc__)
    parser.add_argument("--upstream", required=True, help="the stand-in")
    parser.add_argument(
        "--latency",
        type=float,
        default=0.0,
        help="seconds that each call takes, the time of the stand-in included",
    )
    parser.add_argument("--log", type=Path, help="where writes are noted, a line of JSON each")
    options = parser.parse_args()
    to = urlsplit(options.upstream)
    if to.hostname not in ("127.0.0.1", "localhost"):
        parser.error("only a stand-in on this machine")
    proxy = Proxy(to.hostname, to.port or 80, faults=Faults(latency=options.latency), log=Log(options.log))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, backlog=512)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()


asyncio.run(main())
