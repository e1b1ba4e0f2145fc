"""HTTP requests to identity providers: no redirects, limited size, and a time limit for the whole
response.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from console.operators.single_sign_on.failures import SignInFailedError

LARGEST_ANSWER = 1024 * 1024
_PIECE = 16 * 1024
_local = threading.local()


class _TrackedConnection:
    """A connection that its thread's deadline can shut down."""

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        _local.sockets.append(self.sock)  # type: ignore[attr-defined]


class _PlainConnection(_TrackedConnection, HTTPConnection):
    pass


class _TlsConnection(_TrackedConnection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        return manager


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Shut down this thread's connections at the deadline, which ends a pending read.

    The read timeout of requests restarts with every byte.
    """
    sockets: list[socket.socket] = []
    _local.sockets = sockets

    def end() -> None:
        for each in sockets:
            try:
                # Not SSLSocket's own method, which would remove state that the reading thread uses.
                socket.socket.shutdown(each, socket.SHUT_RDWR)
            except OSError:
                continue

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def fetch_bytes(
    url: str,
    *,
    what: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> bytes:
    """Return the body of a 200 response.

    Raises SignInFailedError, which names `what` was requested, and never what was sent or received.
    """
    limit = float(settings.SSO_SECONDS)
    ends = time.monotonic() + limit
    try:
        with _deadline(limit), requests.Session() as session:
            session.mount("http://", _Adapter())
            session.mount("https://", _Adapter())
            method = "POST" if form is not None else "GET"
            with session.request(
                method,
                url,
                data=form,
                headers={"Accept": "application/json, application/samlmetadata+xml, */*", **(headers or {})},
                auth=auth,
                timeout=limit,
                stream=True,
                allow_redirects=False,
            ) as response:
                body = _body(response)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        if time.monotonic() >= ends or isinstance(error, requests.Timeout):
            raise SignInFailedError("too_slow", what=what, detail=f"{limit:g} seconds") from None
        raise SignInFailedError("unreachable", what=what, detail=type(error).__name__) from None
    if time.monotonic() >= ends:
        # A connection that was shut down can look like a complete response.
        raise SignInFailedError("too_slow", what=what, detail=f"{limit:g} seconds")
    if response.status_code != requests.codes.ok:
        raise SignInFailedError("bad_status", what=what, detail=str(response.status_code))
    if body is None:
        raise SignInFailedError("too_large", what=what, detail=f"{LARGEST_ANSWER // 1024} KB")
    return body


def _body(response: requests.Response) -> bytes | None:
    """Return the decompressed body; None if it is too large, in which case the rest isn’t read."""
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > LARGEST_ANSWER:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def fetch_json(url: str, *, what: str, **request: Any) -> dict[str, Any]:
    """Return the JSON object of a 200 response. Raises SignInFailedError."""
    body = fetch_bytes(url, what=what, **request)
    try:
        body_json = json.loads(body)
    except (ValueError, RecursionError):
        raise SignInFailedError("not_json", what=what) from None
    if not isinstance(body_json, dict):
        raise SignInFailedError("not_json", what=what)
    return body_json
