"""Reads the secret keys from the environment, or from files of the embedded default; a short one, or one that
is used twice, stops the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from console import env

SHORTEST: Final = 50
"""The minimum number of characters of a key in production."""


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """`secret` is Django's SECRET_KEY, `fallbacks` are its former ones. The first of `sealed` encrypts, and
    the first of `signing` signs evidence packs and anchors of the journal. The others of these two are former
    keys, which are needed until no data depends on them.
    """

    secret: str = field(repr=False)
    fallbacks: list[str] = field(repr=False)
    sealed: list[str] = field(repr=False)
    signing: list[str] = field(repr=False)


def read_keys(var: Path, *, embedded: bool) -> SecretKeys:
    """Read the keys. The embedded default creates missing ones in the folder `var`. Raises
    ConfigurationError.
    """
    secret = _secret(var, embedded=embedded)
    fallbacks = _fallbacks(embedded=embedded)
    sealed = _sealed(var, secret, embedded=embedded)
    return SecretKeys(secret, fallbacks, sealed, _signing(var, [secret, *sealed], embedded=embedded))


def _secret(var: Path, *, embedded: bool) -> str:
    if embedded:
        return env.text("GATEHOUSE_SECRET_KEY", env.kept_secret(var / "secret_key"))
    key = env.text("GATEHOUSE_SECRET_KEY", why="Write 50 or more random characters.")
    if len(key) < SHORTEST:
        raise env.ConfigurationError("GATEHOUSE_SECRET_KEY is too short: write 50 or more random characters.")
    return key


def _fallbacks(*, embedded: bool) -> list[str]:
    """Return former keys. Sessions, links and second factors signed with them stay valid until they are
    removed from the environment.
    """
    keys = env.word_list("GATEHOUSE_SECRET_KEY_FALLBACKS")
    if not embedded and any(len(key) < SHORTEST for key in keys):
        raise env.ConfigurationError(
            "GATEHOUSE_SECRET_KEY_FALLBACKS holds a key under 50 characters: write former keys as they were."
        )
    return keys


def _sealed(var: Path, secret: str, *, embedded: bool) -> list[str]:
    kept_keys = (env.kept_secret(var / "sealed_key"),) if embedded else None
    keys = env.word_list(
        "GATEHOUSE_SEALED_KEY",
        kept_keys,
        why="Write 50 or more random characters, others than those of GATEHOUSE_SECRET_KEY.",
    )
    if not embedded and (secret in keys or min(map(len, keys), default=0) < SHORTEST):
        raise env.ConfigurationError(
            "GATEHOUSE_SEALED_KEY is too short, or the same as GATEHOUSE_SECRET_KEY: write 50 or more "
            "random characters of its own."
        )
    return keys


def _signing(var: Path, others: list[str], *, embedded: bool) -> list[str]:
    kept_keys = (env.kept_secret(var / "signing_key"),) if embedded else ()
    keys = env.word_list("GATEHOUSE_SIGNING_KEY", kept_keys)
    if not embedded and any(len(key) < SHORTEST or key in others for key in keys):
        raise env.ConfigurationError(
            "GATEHOUSE_SIGNING_KEY is too short, or the same as another key: write 50 or more random "
            "characters of its own."
        )
    return keys
