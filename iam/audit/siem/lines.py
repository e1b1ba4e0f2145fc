"""Formats journal entries for receivers: as JSON lines, alone or within syslog messages (RFC 5424)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from iam.journal.models import JournalLink

LOG_AUDIT_INFORMATIONAL: Final = 13 * 8 + 6
"""Facility “log audit”, severity “informational”: RFC 5424, section 6.2.1."""
MAX_MESSAGE_ID: Final = 32
MAX_HOST_NAME: Final = 255
LARGEST_DATAGRAM: Final = 60_000
"""The maximum size of a message over UDP in bytes; IP allows 65,507."""


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """An entry with its place in the chain and the fields to send."""

    entry: int
    block: int
    position: int
    at: datetime
    kind: str
    fields: dict[str, Any]

    def line(self) -> bytes:
        """The entry as ASCII JSON without a line feed."""
        return json.dumps(self.fields, separators=(",", ":")).encode()


def exported_entry(link: JournalLink) -> ExportedEntry:
    """Return an entry with its fields, named as in the page's JSON export. `entry` and `hash` are always the
    same for an entry.
    """
    entry = link.entry
    fields = {
        "entry": entry.id,
        "time": entry.at.astimezone(UTC).isoformat(),
        "kind": entry.kind,
        "by": entry.actor_label,
        "email": entry.actor_email,
        "subject": entry.subject,
        "account": entry.account_id,
        "request": entry.request_id,
        "address": entry.ip,
        "data": entry.data,
        "block": link.block_id,
        "position": link.position,
        "hash": link.hash,
    }
    return ExportedEntry(entry.id, link.block_id, link.position, entry.at, entry.kind, fields)


def syslog_message(exported: ExportedEntry) -> bytes:
    """Return a message as in RFC 5424, section 6, with the JSON line as text and the kind as message ID."""
    at = exported.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    host = urlsplit(settings.BASE_URL).hostname or "-"
    kind = exported.kind[:MAX_MESSAGE_ID]
    header = f"<{LOG_AUDIT_INFORMATIONAL}>1 {at} {host[:MAX_HOST_NAME]} gatehouse - {kind} - "
    return header.encode("ascii", errors="replace") + exported.line()


def datagram(exported: ExportedEntry) -> bytes:
    """Return a message that fits into one datagram. If necessary, `data` is left out and `data_left_out` is
    set.
    """
    message = syslog_message(exported)
    if len(message) <= LARGEST_DATAGRAM:
        return message
    exported.fields.update(data=None, data_left_out=True)
    return syslog_message(exported)
