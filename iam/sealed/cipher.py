"""Encryption of secrets with separate keys, current and former. Each text is bound to its row."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class UnreadableError(Exception):
    """The text was encrypted with a key that isn't configured any more, or it doesn't belong to this row."""


def encrypt(text: str, *, secret_id: UUID, person_id: UUID | None, purpose: str) -> str:
    """Encrypt the text and what it is bound to with the first key."""
    whole = json.dumps({"tie": _tie(secret_id, person_id, purpose), "text": text})
    return _ciphers(tuple(settings.SEALED_KEYS)).encrypt(whole.encode()).decode()


def decrypt(token: str, *, secret_id: UUID, person_id: UUID | None, purpose: str) -> str:
    """Decrypt the text with any of the keys. Raises UnreadableError, also for the text of another row, person
    or purpose.
    """
    try:
        whole = json.loads(_ciphers(tuple(settings.SEALED_KEYS)).decrypt(token.encode()))
    except InvalidToken:
        raise UnreadableError from None
    if whole["tie"] != _tie(secret_id, person_id, purpose):
        raise UnreadableError
    return str(whole["text"])


def _tie(secret_id: UUID, person_id: UUID | None, purpose: str) -> list[str]:
    return [str(secret_id), str(person_id or ""), purpose]


@lru_cache(maxsize=4)
def _ciphers(keys: tuple[str, ...]) -> MultiFernet:
    derived = (
        HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gatehouse sealed secrets").derive(key.encode())
        for key in keys
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
