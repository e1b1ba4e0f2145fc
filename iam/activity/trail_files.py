"""Parses the bytes of a trail file into CloudTrail records. Its content isn't trusted.

CloudTrail delivers `{"Records": […]}`, compressed with gzip. Files of JSON lines, and the output of `aws
cloudtrail lookup-events` (`{"Events": [{"CloudTrailEvent": "…"}]}`), are also accepted.
"""

from __future__ import annotations

import codecs
import zlib
from typing import Any, Final

import orjson

MEBIBYTE: Final = 1024 * 1024
FILE_LIMIT: Final = 64 * MEBIBYTE
"""Maximum size of a decompressed file, a hundred times that of CloudTrail's files."""
GZIP_MAGIC: Final = b"\x1f\x8b"
GZIP_WINDOW: Final = zlib.MAX_WBITS | 16


class TrailFileError(ValueError):
    """The file can't be parsed. The message says why, in one sentence."""


def records_of(content: bytes) -> list[Any]:
    """Return the records of a file in order, unchecked. Raises TrailFileError."""
    text = inflated(content).removeprefix(codecs.BOM_UTF8)
    if len(text) > FILE_LIMIT:
        raise TrailFileError(f"The file is larger than {FILE_LIMIT // MEBIBYTE} MiB.")
    if not text.strip():
        raise TrailFileError("The file is empty.")
    try:
        return _listed(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        if text.count(b"\n") and (records := _lines(text)):
            return records
        raise TrailFileError(_why_no_json(text, error)) from None


def _why_no_json(text: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        text.decode()
    except UnicodeDecodeError as undecoded:
        place = f"{undecoded.start + 1:,}"
        return f"The file is neither JSON in UTF-8 nor gzip of it: byte {place} is in no character."
    return f"The file isn’t valid JSON: {error}."


def inflated(content: bytes) -> bytes:
    """Return the bytes of a file, decompressed if needed. Raises TrailFileError."""
    return _inflated(content) if content.startswith(GZIP_MAGIC) else content


def _inflated(content: bytes) -> bytes:
    """Return the decompressed bytes of a gzip file, which can have several members, up to the limit."""
    parts: list[bytes] = []
    room = FILE_LIMIT + 1
    while content:
        inflater = zlib.decompressobj(wbits=GZIP_WINDOW)
        try:
            part = inflater.decompress(content, room)
        except zlib.error:
            raise TrailFileError("The file isn’t valid gzip: its compressed data is damaged.") from None
        parts.append(part)
        room -= len(part)
        if room <= 0:
            raise TrailFileError(
                f"The file inflates to more than {FILE_LIMIT // MEBIBYTE} MiB, which no trail file does."
            )
        if not inflater.eof:
            raise TrailFileError("The gzip file is cut off: its end is missing.")
        content = inflater.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _listed(value: Any) -> list[Any]:
    """Return the records of a parsed file."""
    if isinstance(value, dict):
        if isinstance(value.get("Records"), list):
            return list(value["Records"])
        if isinstance(value.get("Events"), list):
            return [_looked_up(event) for event in value["Events"]]
        if "eventID" in value:
            return [value]
    if isinstance(value, list):
        return value
    raise TrailFileError("The file has no list “Records”, so it isn’t a CloudTrail log file.")


def _looked_up(event: Any) -> Any:
    """Return the record in an entry of LookupEvents, or None."""
    text = event.get("CloudTrailEvent") if isinstance(event, dict) else None
    try:
        return orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        return None


def _lines(text: bytes) -> list[Any]:
    """Return the records of a file with one JSON object per line. An invalid line counts as an unreadable
    record. Empty if not even the first line is valid.
    """
    records: list[Any] = []
    for line in text.splitlines():
        if line.strip():
            try:
                records.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                records.append(None)
            if records[0] is None:
                return []
    if len(records) == 1:
        return _listed(records[0])
    return records
