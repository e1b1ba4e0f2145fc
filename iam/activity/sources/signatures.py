"""Verifies the signatures of CloudTrail's digest files and parses their content, without side effects.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

NO_PREVIOUS: Final = "null"
ALGORITHM: Final = "SHA256withRSA"


class DigestError(ValueError):
    """The digest file proves nothing. The message says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A log file named in a digest file. `sha256` is that of its decompressed bytes."""

    bucket: str
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DigestContent:
    """The content of a digest file. `sha256` is that of its own decompressed bytes. `previous_key` is empty
    in the first digest file of a chain.
    """

    account_id: str
    start_at: datetime
    end_at: datetime
    end_text: str
    bucket: str
    key: str
    fingerprint: str
    sha256: str
    previous_key: str
    previous_sha256: str
    previous_signature: str
    files: tuple[NamedFile, ...]


def digest_content(text: bytes) -> DigestContent:
    """Parse a decompressed digest file. Raises DigestError."""
    try:
        parsed = orjson.loads(text)
        return DigestContent(
            account_id=str(parsed["awsAccountId"]),
            start_at=_moment(parsed["digestStartTime"]),
            end_at=_moment(parsed["digestEndTime"]),
            end_text=str(parsed["digestEndTime"]),
            bucket=str(parsed["digestS3Bucket"]),
            key=str(parsed["digestS3Object"]),
            fingerprint=str(parsed["digestPublicKeyFingerprint"]),
            sha256=hashlib.sha256(text).hexdigest(),
            previous_key=str(parsed.get("previousDigestS3Object") or ""),
            previous_sha256=str(parsed.get("previousDigestHashValue") or ""),
            previous_signature=str(parsed.get("previousDigestSignature") or ""),
            files=tuple(_named(entry) for entry in parsed["logFiles"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DigestError("It isn’t a digest file of CloudTrail.") from None


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _named(entry: Mapping[str, Any]) -> NamedFile:
    if entry.get("hashAlgorithm") != "SHA-256":
        raise ValueError
    return NamedFile(str(entry["s3Bucket"]), str(entry["s3Object"]), str(entry["hashValue"]).lower())


def verify_signature(digest: DigestContent, metadata: Mapping[str, str], key_der: bytes | None) -> str:
    """Check the signature in the metadata of the digest file's object, and return it in hex. Raises
    DigestError.
    """
    signature = metadata.get("signature", "")
    if not signature:
        raise DigestError("It has no signature.")
    if metadata.get("signature-algorithm", ALGORITHM) != ALGORITHM:
        raise DigestError("Its signature has an unknown algorithm.")
    if key_der is None:
        raise DigestError("CloudTrail knows no public key with the fingerprint that it names.")
    signed = "\n".join(
        (
            digest.end_text,
            f"{digest.bucket}/{digest.key}",
            digest.sha256,
            digest.previous_signature or NO_PREVIOUS,
        )
    )
    try:
        public_key = load_der_public_key(key_der)
        if not isinstance(public_key, RSAPublicKey):
            raise DigestError("Its public key isn’t an RSA key.")
        public_key.verify(bytes.fromhex(signature), signed.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise DigestError("Its signature is wrong: it was changed after CloudTrail wrote it.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise DigestError("Its signature or its public key can’t be read.") from None
    return signature.lower()


def link_problem(digest: DigestContent, previous: tuple[str, str, str] | None) -> str:
    """Return why a digest file doesn't follow the previous one (its key, SHA-256 and signature), or an empty
    string if it does. A chain begins with a digest file that names no previous one.
    """
    if previous is None:
        return ""
    key, sha256, signature = previous
    if not digest.previous_key:
        return "It begins a new chain: digest files before it were removed, or validation was off."
    if digest.previous_key != key:
        return f"A digest file before it is missing: {digest.previous_key.rpartition('/')[2]}."
    if digest.previous_sha256.lower() != sha256 or digest.previous_signature.lower() != signature:
        return "The digest file before it was changed."
    return ""
