"""The file of successful writes. They are replayed on the freshly seeded organization at the next start."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from console.demo.standin import calls

PASSWORDS = frozenset({"Password", "NewPassword", "OldPassword"})
SECRETS = frozenset(
    {"PrivateKey", "AddPrivateKey", "AuthenticationCode1", "AuthenticationCode2", "TokenCode",
     "SAMLAssertion", "WebIdentityToken"}
)  # fmt: skip
REPLACED = "replaced"
MAX_SESSION = timedelta(hours=12)


@dataclass(frozen=True)
class WriteEntry:
    """A successful write as requested, without its secrets. `at` is naive UTC in ISO 8601.

    `caller` is stored completely, as in `StandinCaller`, because the session may have ended by the time of
    the replay.
    """

    at: str
    service: str
    action: str
    account: str
    region: str
    caller: dict[str, Any]
    request_id: str
    seed: str
    target: str
    body: str
    method: str = "POST"
    path: str = "/"


class WriteJournal:
    """An append-only file of JSON lines in `folder` that only its owner can read."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "writes.jsonl"
        self.key_path = folder / "standin.key"

    def local_key(self) -> bytes:
        """Return the key from which secrets are derived. It is created at the first start."""
        if not self.key_path.exists():
            _write_private(self.key_path, secrets.token_hex(32))
        return self.key_path.read_text().strip().encode()

    def append(self, entry: WriteEntry) -> None:
        """Write an entry. This happens before the caller gets the response."""
        line = json.dumps(asdict(entry), separators=(",", ":")) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def entries(self) -> Iterator[WriteEntry]:
        """Yield all entries in order, without lines that a crash left incomplete."""
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines():
            try:
                yield WriteEntry(**json.loads(line))
            except (json.JSONDecodeError, TypeError):
                continue

    def compact(self, *, now: datetime) -> None:
        """Remove incomplete lines and expired sessions, so that the file doesn't grow with every sync."""
        if not self.path.exists():
            return
        lines = []
        for entry in self.entries():
            if entry.service != "sts" or now - _moment(entry) < MAX_SESSION:
                lines.append(json.dumps(asdict(entry), separators=(",", ":")) + "\n")
        fresh = self.path.with_suffix(".new")
        _write_private(fresh, "".join(lines))
        fresh.replace(self.path)

    def forget(self) -> None:
        """Remove all stored writes. The next start serves the organization as seeded."""
        self.path.unlink(missing_ok=True)


def without_secrets(entry: WriteEntry) -> WriteEntry:
    """Return the entry with passwords as keyed digests and other secrets replaced."""
    if entry.target or entry.path != "/":
        return entry
    pairs = []
    for name, value in parse_qsl(entry.body, keep_blank_values=True):
        if name in PASSWORDS:
            value = calls.verifier(value)
        elif name in SECRETS:
            value = REPLACED
        pairs.append((name, value))
    return replace(entry, body=urlencode(pairs))


def _moment(entry: WriteEntry) -> datetime:
    return datetime.fromisoformat(entry.at)


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
