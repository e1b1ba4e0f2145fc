"""The key that signs evidence and anchors, and the earlier keys that verify older signatures."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from iam.journal.signed_notes import NoteSigner, NoteVerifier

NOT_SET: Final = "Nothing can be signed: set GATEHOUSE_SIGNING_KEY."


class NoSigningKeyError(Exception):
    """No key is configured; the message is a sentence."""

    def __init__(self) -> None:
        super().__init__(NOT_SET)


def signer() -> NoteSigner:
    """Return the current signing key. Raises NoSigningKeyError."""
    if not settings.SIGNING_KEYS:
        raise NoSigningKeyError
    return _signers(tuple(settings.SIGNING_KEYS), origin())[0]


def verifiers() -> list[NoteVerifier]:
    """Return the public halves of all configured keys, newest first."""
    return [each.verifier for each in _signers(tuple(settings.SIGNING_KEYS), origin())]


def origin() -> str:
    """Return the name of this installation’s keys, which starts with its host without a scheme."""
    return f"{urlsplit(settings.BASE_URL).netloc or 'localhost'}/gatehouse"


@lru_cache(maxsize=4)
def _signers(secrets: tuple[str, ...], name: str) -> tuple[NoteSigner, ...]:
    return tuple(NoteSigner(name, _private(secret)) for secret in secrets)


def _private(secret: str) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gatehouse signing key").derive(
        secret.encode()
    )
    return Ed25519PrivateKey.from_private_bytes(seed)
