"""Parses the names of CloudTrail's files in a bucket.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

FOLDER_LOGS: Final = "CloudTrail"
FOLDER_DIGESTS: Final = "CloudTrail-Digest"
ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_LOG: Final = re.compile(
    r"(?P<folder>(?:.*/)?AWSLogs/(?:o-[a-z0-9]{10,32}/)?(?P<account>[0-9]{12})/CloudTrail/"
    r"(?P<region>[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2})/)[0-9]{4}/[0-9]{2}/[0-9]{2}/"
    r"[0-9]{12}_CloudTrail_[a-z0-9-]+_(?P<at>[0-9]{8}T[0-9]{4})Z_[A-Za-z0-9]+\.json(?:\.gz)?",
    re.DOTALL,
)
_DIGEST: Final = re.compile(
    r"(?:.*/)?AWSLogs/(?:o-[a-z0-9]{10,32}/)?[0-9]{12}/CloudTrail-Digest/[a-z0-9-]+/[0-9]{4}/[0-9]{2}/[0-9]{2}/"
    r"(?P<chain>[0-9]{12}_CloudTrail-Digest_[a-z0-9-]+_[A-Za-z0-9._-]+)_(?P<at>[0-9]{8}T[0-9]{6})Z\.json\.gz",
    re.DOTALL,
)
_REGION: Final = re.compile(r"[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")


class LogKey(NamedTuple):
    """The parts of a log file's key: the folder of its account and Region, and the time in its name."""

    key: str
    folder: str
    account_id: str
    region: str
    at: datetime


def log_key(key: str) -> LogKey | None:
    """Return the parts of a log file's key, or None for any other key."""
    match = _LOG.fullmatch(key)
    if match is None or len(key) > 1024:
        return None
    try:
        at = datetime.strptime(match["at"], "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    return LogKey(key, match["folder"], match["account"], match["region"], at)


class DigestKeyName(NamedTuple):
    """The parts of a digest file's key: the chain of its trail and Region, and the end of its hour."""

    key: str
    chain: str
    at: datetime


def digest_key(key: str) -> DigestKeyName | None:
    """Return the parts of a digest file's key, or None for any other key."""
    match = _DIGEST.fullmatch(key)
    if match is None or len(key) > 1024:
        return None
    try:
        at = datetime.strptime(match["at"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return DigestKeyName(key, match["chain"], at)


def is_account(name: str) -> bool:
    """Return True if a folder name is an account ID."""
    return _ACCOUNT.fullmatch(name) is not None


def is_region(name: str) -> bool:
    """Return True if a folder name is a Region."""
    return _REGION.fullmatch(name) is not None


def day_folder(folder: str, day: date) -> str:
    """Return the folder of a day, which sorts before its keys and after those of earlier days."""
    return f"{folder}{day:%Y/%m/%d}/"


def key_digest(key: str) -> str:
    """Return the BLAKE2b-128 of a key, in hex."""
    return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).hexdigest()
