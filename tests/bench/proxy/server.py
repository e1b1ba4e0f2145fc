"""HTTP/1.1 between the workers and the stand-in, a connection to each for a connection from each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from tests.bench.proxy.faults import FAIL, FAIL_AFTER, LATE, RESET, RESET_AFTER, THROTTLE, Faults
from tests.bench.proxy.writes import Log, is_write, observer_of, settled

PREFIX = "/_proxy/"
_KEY = re.compile(rb"Credential=([^/]+)/")
_ERROR = (
    "<ErrorResponse><Error><Type>{type}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>00000000-0000-0000-0000-00000000fa17</RequestId></ErrorResponse>"
)
_THROTTLED = (400, _ERROR.format(type="Sender", code="Throttling", message="Rate exceeded"))
_FAILED = (
    500,
    _ERROR.format(type="Receiver", code="ServiceFailure", message="An internal error has occurred"),
)


class Message(NamedTuple):
    """A request or an answer: its head as it came, its headers in lower case, its body."""

    head: bytes
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def raw(self) -> bytes:
        """As it goes over the wire."""
        return self.head + b"\r\n\r\n" + self.body


class Proxy:
    """Serves connections until it is closed."""

    def __init__(self, host: str, port: int, *, faults: Faults, log: Log) -> None:
        self._upstream, self.faults, self.log = (host, port), faults, log
        self._locks: dict[str, asyncio.Lock] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while (request := await _read(reader)) is not None:
                path = request.head.split(b" ", 2)[1].decode("latin1")
                if path.startswith(PREFIX):
                    writer.write(self._control(path, request.body))
                    continue
                if upstream is None:
                    upstream = await asyncio.open_connection(*self._upstream)
                answer = await self._pass_on(request, *upstream)
                if answer is None:
                    writer.transport.abort()
                    return
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            for stream in (writer, *(upstream[1:] if upstream else ())):
                stream.close()
                with contextlib.suppress(ConnectionError):
                    await stream.wait_closed()

    async def _pass_on(
        self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        """The answer; None when the connection is to break."""
        parameters = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        action = parameters.pop("Action", "")
        fault = self.faults.strike(action)
        over = asyncio.get_running_loop().time() + self.faults.latency
        if fault in (THROTTLE, FAIL, RESET):
            await _until(over)
            return None if fault == RESET else _answer(*(_THROTTLED if fault == THROTTLE else _FAILED))
        answer = await self._carry_out(request, action, parameters, reader, writer)
        await _until(over)
        if fault == LATE:
            await asyncio.sleep(self.faults.late)
        if fault == RESET_AFTER:
            return None
        return _answer(*_FAILED) if fault == FAIL_AFTER else answer.raw

    async def _carry_out(
        self,
        request: Message,
        action: str,
        parameters: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> Message:
        if not is_write(action):
            return await _exchange(request, reader, writer)
        match = _KEY.search(request.headers.get(b"authorization", b""))
        key = match[1].decode() if match else ""
        looks = observer_of(action, parameters)
        if looks is None:
            answer = await _exchange(request, reader, writer)
            if _is_well(answer):
                self.log.note(action, parameters, key=key, took_effect=True)
            return answer
        async with self._locks.setdefault(json.dumps([looks, key[4:13]]), asyncio.Lock()):
            before = await _exchange(_asking(request, *looks), reader, writer)
            answer = await _exchange(request, reader, writer)
            after = await _exchange(_asking(request, *looks), reader, writer)
        if _is_well(answer):
            differs = settled(before.body) != settled(after.body)
            self.log.note(action, parameters, key=key, took_effect=differs)
        return answer

    def _control(self, path: str, body: bytes) -> bytes:
        name = path.removeprefix(PREFIX)
        if name == "faults":
            self.faults.configure(json.loads(body))
        content = self.faults.describe() | {
            "effective": self.log.effective,
            "carried_out": self.log.carried_out,
        }
        return _answer(200, json.dumps(content), kind="application/json")


async def _until(moment: float) -> None:
    """The latency is of the whole call: what the stand-in itself took is a part of it."""
    left = moment - asyncio.get_running_loop().time()
    if left > 0:
        await asyncio.sleep(left)


async def _read(reader: asyncio.StreamReader) -> Message | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
    except asyncio.IncompleteReadError:
        return None
    split = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    headers = {name.lower(): value.strip() for name, _, value in split}
    size = int(headers.get(b"content-length", 0))
    return Message(head, headers, await reader.readexactly(size) if size else b"")


async def _exchange(request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message:
    writer.write(request.raw)
    await writer.drain()
    answer = await _read(reader)
    if answer is None:
        raise ConnectionResetError("the stand-in went away")
    return answer


def _asking(request: Message, action: str, parameters: dict[str, str]) -> Message:
    """A reading in the name of anyone who asked; the stand-in looks at the signature only when it enforces
    permissions.
    """
    body = urlencode({"Action": action, "Version": "2010-05-08", **parameters}).encode()
    lines = [line for line in request.head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    head = b"\r\n".join([*lines, b"Content-Length: %d" % len(body)])
    return Message(head, {**request.headers, b"content-length": b"%d" % len(body)}, body)


def _is_well(answer: Message) -> bool:
    return answer.head.split(b" ", 2)[1] == b"200"


def _answer(status: int, text: str, *, kind: str = "text/xml") -> bytes:
    body = text.encode()
    phrase = {200: "OK", 400: "Bad Request", 500: "Internal Server Error"}[status]
    head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
