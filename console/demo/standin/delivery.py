"""Delivers the trail of the simulated AWS as files in a folder, in the way that CloudTrail delivers them to
S3.

Reads by Gatehouse's own role are left out, as with an event selector of a real trail, because a sync makes
thousands of them.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
import uuid
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 5.0
"""The delivery interval. CloudTrail delivers about every five minutes."""
KEPT_SECONDS: Final = 24 * 3600
OWN_READER: Final = "role/gatehouse-reader"
Event = dict[str, Any]


class TrailDelivery:
    """Collects events and writes them to the folder every few seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waiting: list[Event] = []
        self.lock = threading.Lock()

    def add(self, event: Event) -> None:
        """Add an event unless it is a read by Gatehouse."""
        if event["readOnly"] and _issuer(event).endswith(OWN_READER):
            return
        with self.lock:
            self.waiting.append(event)

    def start(self) -> None:
        """Start delivery in a daemon thread."""
        threading.Thread(target=self._run, daemon=True).start()

    def deliver(self) -> int:
        """Write a file per account with the pending events. Returns the number of files."""
        with self.lock:
            events, self.waiting = self.waiting, []
        files = 0
        for account, of_account in groupby(sorted(events, key=_account), key=_account):
            self._write(account, list(of_account))
            files += 1
        return files

    def _run(self) -> None:
        while True:
            time.sleep(SECONDS)
            if self.deliver():
                self._remove_old()

    def _write(self, account: str, events: list[Event]) -> None:
        """Write to a temporary name first, so that no reader sees an incomplete file."""
        now = datetime.now(UTC)
        folder = self.folder / "AWSLogs" / account / "CloudTrail" / "us-east-1" / now.strftime("%Y/%m/%d")
        folder.mkdir(parents=True, exist_ok=True)
        unique = uuid.uuid4().hex[:16]
        name = f"{account}_CloudTrail_us-east-1_{now:%Y%m%dT%H%MZ}_{unique}.json.gz"
        records = json.dumps({"Records": events})
        part = folder / f"{name}.part"
        part.write_bytes(gzip.compress(records.encode()))
        part.rename(folder / name)

    def _remove_old(self) -> None:
        oldest = time.time() - KEPT_SECONDS
        for path in self.folder.rglob("*.json.gz"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


def _account(event: Event) -> str:
    return str(event["recipientAccountId"])


def _issuer(event: Event) -> str:
    """Return the ARN of the role behind the call, or of the user."""
    identity = event["userIdentity"]
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    return str(issuer.get("arn") or identity.get("arn", ""))
