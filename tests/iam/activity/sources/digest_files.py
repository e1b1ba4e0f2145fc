"""A CloudTrail that signs digest files, with a key of its own."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.iam.activity.sources.aws import ACCOUNT, BUCKET, REGION

KEY = rsa.generate_private_key(65537, 2048)
PUBLIC_KEY = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
FINGERPRINT = "31e8b5433410dfb61a9dc45cc65b22ff"


@dataclass
class Signer:
    """Writes digest files into the bucket, each signed and linked to the one before."""

    s3: Any
    last: dict[str, str] = field(default_factory=dict)

    def write(self, end: datetime, files: Sequence[tuple[str, bytes]], **changes: Any) -> str:
        """The digest file of the hour before `end` that names these log files; its key."""
        folder = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}/"
        key = f"{folder}{ACCOUNT}_CloudTrail-Digest_{REGION}_northline_{REGION}_{end:%Y%m%dT%H%M%S}Z.json.gz"
        content = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": f"{end - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": BUCKET,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": FINGERPRINT,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Object": self.last.get("key"),
            "previousDigestHashValue": self.last.get("sha256"),
            "previousDigestSignature": self.last.get("signature"),
            "logFiles": [_named(name, text) for name, text in files],
        } | changes
        text = json.dumps(content).encode()
        sha256 = hashlib.sha256(text).hexdigest()
        end_text = content["digestEndTime"]
        signed = f"{end_text}\n{BUCKET}/{key}\n{sha256}\n{self.last.get('signature') or 'null'}"
        signature = KEY.sign(signed.encode(), PKCS1v15(), SHA256()).hex()
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(text), Metadata=metadata)
        self.last = {"key": key, "sha256": sha256, "signature": signature}
        return key


def _named(key: str, content: bytes) -> dict[str, Any]:
    return {
        "s3Bucket": BUCKET,
        "s3Object": key,
        "hashValue": hashlib.sha256(gzip.decompress(content)).hexdigest(),
        "hashAlgorithm": "SHA-256",
    }
