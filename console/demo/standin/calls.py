"""The context of the current request: caller, action, account and seed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

VERIFIER = "hmac-sha256:"


@dataclass(frozen=True)
class StandinCaller:
    """A principal as AWS shows it. `kind` is CloudTrail's userIdentity type."""

    kind: str
    account: str
    arn: str
    principal_id: str
    access_key_id: str
    user_name: str = ""
    role_arn: str = ""
    session_name: str = ""
    known: bool = True


@dataclass
class StandinCall:
    """A request: its action, its caller, and the seed that makes its response repeatable."""

    service: str
    action: str
    account: str
    region: str
    caller: StandinCaller
    parameters: dict[str, Any]
    request_id: str
    seed: str
    at: datetime
    replayed: bool = False
    source_ip: str = "127.0.0.1"
    user_agent: str = ""
    drawn: int = field(default=0)


_stack: list[StandinCall] = []
_local_key = b"seeding"


def current() -> StandinCall | None:
    """Return the current call, or None while the organization is seeded."""
    return _stack[-1] if _stack else None


@contextmanager
def serving(call: StandinCall) -> Iterator[StandinCall]:
    """Make `call` the current one. Callers hold the world's lock."""
    _stack.append(call)
    try:
        yield call
    finally:
        _stack.pop()


def use_local_key(key: bytes) -> None:
    """Set the key from which secrets are derived. It is stored next to the journal, never in it."""
    global _local_key
    _local_key = key


def derive(purpose: str) -> bytes:
    """Return 32 secret bytes. They are the same when the call is replayed with the same local key."""
    call = current()
    name = "seed"
    if call is not None:
        call.drawn += 1
        name = f"{call.seed}/{call.drawn}"
    return hmac.new(_local_key, f"{name}/{purpose}".encode(), hashlib.sha256).digest()


def verifier(password: str) -> str:
    """Return a keyed digest of a password, which a journal may contain. Idempotent."""
    if password.startswith(VERIFIER):
        return password
    return VERIFIER + hmac.new(_local_key, password.encode(), hashlib.sha256).hexdigest()
