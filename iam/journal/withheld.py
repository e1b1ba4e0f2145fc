"""Withholds values that must never be in the journal: values under keys that name a secret."""

from __future__ import annotations

import re
from typing import Any

WITHHELD = "[withheld]"
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET = re.compile(
    r"(^|[^a-z])(passwords?|passwd|passphrase|secrets?|tokens?|private_?key|seed|authorization|cookies?|credentials"
    r"|otp|totp|session_?key|recovery_?codes?|signature)($|[^a-z])"
)
_HARMLESS = re.compile(r"_(id|arn|name|count|at)$")


class SecretRefusedError(ValueError):
    """A caller tried to write a secret into the journal. The message names the key, never the value."""


def _is_secret(key: str, value: Any) -> bool:
    """Return True for text under a key that names a secret. Flags and counts (`password: true`) and
    references to secrets (`secret_arn`) are harmless.
    """
    if not isinstance(value, str | bytes | list | tuple) or not value:
        return False
    words = _CAMEL.sub("_", key).lower()
    return bool(_SECRET.search(words)) and not _HARMLESS.search(words)


def names_of_secrets(data: Any, *, path: str = "") -> list[str]:
    """Return the dotted paths of the keys that can hold a secret."""
    if isinstance(data, dict):
        names = []
        for key, value in data.items():
            inner = f"{path}.{key}" if path else str(key)
            names += [inner] if _is_secret(str(key), value) else names_of_secrets(value, path=inner)
        return names
    if isinstance(data, list | tuple):
        in_items = []
        for place, item in enumerate(data):
            in_items += names_of_secrets(item, path=f"{path}[{place}]")
        return in_items
    return []


def withhold(data: Any) -> Any:
    """Return the data with secret values replaced."""
    if isinstance(data, dict):
        shown = {}
        for key, value in data.items():
            name = str(key)
            shown[name] = WITHHELD if _is_secret(name, value) else withhold(value)
        return shown
    if isinstance(data, list | tuple):
        return [withhold(item) for item in data]
    return data
