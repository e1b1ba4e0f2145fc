"""HTTP/1.1 with keep-alive on asyncio, one request at a time per connection."""

from __future__ import annotations

import asyncio
import sys
from http import HTTPStatus

from tests.bench.fakeaws.world import REQUEST_ID, Reply, World


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buffer = b""
        self._is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._world.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._world.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Collect until a request is whole."""
        self._buffer += data
        self._pump()

    def _pump(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if self._is_busy or end < 0:
            return
        lines = self._buffer[:end].split(b"\r\n")
        split = (line.partition(b":") for line in lines[1:])
        headers = {name.lower(): value.strip() for name, _, value in split}
        size = end + 4 + int(headers.get(b"content-length", 0))
        if len(self._buffer) < size:
            if headers.get(b"expect", b"").lower() == b"100-continue" and len(self._buffer) == end + 4:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
        method, path, _ = lines[0].decode("latin1").split(" ", 2)
        reply = self._reply(method, path, headers, body)
        keep = headers.get(b"connection", b"").lower() != b"close"
        if self._world.latency and reply.action:
            self._is_busy = True
            asyncio.get_running_loop().call_later(self._world.latency, self._send, reply, keep)
        else:
            self._send(reply, keep)

    def _reply(self, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> Reply:
        try:
            return self._world.answer(method, path, headers, body)
        except Exception as error:  # noqa: BLE001  a mistake here must be seen, and must not look like AWS
            print("fakeaws:", repr(error), path, body[:200], file=sys.stderr, flush=True)
            return Reply("bug", 501, repr(error).encode(), "text/plain")

    def _send(self, reply: Reply, keep: bool) -> None:
        if reply.action:
            self._world.requests[reply.action] += 1
            self._world.sent[reply.action] += len(reply.body)
        self._is_busy = False
        if reply.cut == "reset":
            self._transport.abort()
            return
        head = (
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\nContent-Type: "
            f"{reply.content_type}\r\n"
            f"Content-Length: {len(reply.body)}\r\nx-amzn-RequestId: {REQUEST_ID}\r\n\r\n"
        )
        self._transport.write(head.encode())
        if reply.cut == "short":
            self._transport.write(reply.body[: len(reply.body) // 2])
            self._transport.close()
            return
        self._transport.write(reply.body)
        if not keep:
            self._transport.close()
        elif self._buffer:
            self._pump()


async def serve(world: World, *, host: str, port: int) -> asyncio.Server:
    """Listen; port 0 takes a free one."""
    return await asyncio.get_running_loop().create_server(lambda: Connection(world), host, port)
