"""Run the stand-in: `python -m tests.bench.fakeaws --port 4599`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import time

import tests.bench.fakeaws as package
from tests.bench.fakeaws.http import serve
from tests.bench.fakeaws.world import Options, World

HELP = {
    "policies": "customer managed policies",
    "accounts": "accounts of this shape in the organisation",
    "aws_managed": (
        "JSON file {name: {Arn, Path, Document, DefaultVersionId, CreateDate, UpdateDate}}; else moto's"
    ),
    "managed_scope": "which AWS managed policies the account lists: attached, all",
    "fault_rate": "share of requests that fail, 0..1",
    "rate": "requests per second and account before Throttling; 0 = no limit",
}


def main() -> None:
    """Parse the arguments, make the world, say where it is, and serve until stopped."""
    parser = argparse.ArgumentParser(
        description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4599, help="0 takes a free one")
    for name, default in vars(Options()).items():
        kind = str if default is None else type(default)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=HELP.get(name))
    options = vars(parser.parse_args())
    host, port = options.pop("host"), options.pop("port")
    with contextlib.suppress(ImportError):
        importlib.import_module("uvloop").install()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(Options(**options), host=host, port=port))


async def _run(options: Options, *, host: str, port: int) -> None:
    began = time.time()
    world = World(options)
    server = await serve(world, host=host, port=port)
    a = world.account
    print(
        f"fakeaws: {len(a.users)} users, {len(a.groups)} groups, {len(a.roles)} roles, {len(a.policies)} "
        "customer and "
        f"{len(a.managed)} AWS policies; {world.size() / 1e6:.1f} MB of authorization details; ready in "
        f"{time.time() - began:.1f} s on http://{host}:{server.sockets[0].getsockname()[1]}",
        flush=True,
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    main()
