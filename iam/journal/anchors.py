"""Anchors: signed notes of the head of the chain, kept where a person who can rewrite the database has no
access.

The text of a note has four lines: the origin, the block number, the block hash in base64, and the time at
which it was made.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from iam.journal.chain import stamp
from iam.journal.models import JournalBlock
from iam.journal.signed_notes import InvalidNoteError, NoteSigner, NoteVerifier, parse, trusted_text

MAX_NOTES: Final = 100_000


@dataclass(frozen=True, slots=True)
class AnchorNote:
    """A note and where it was read."""

    place: str
    note: str


@dataclass(frozen=True, slots=True)
class ReadAnchors:
    """The notes of all places, and what could not be read there, as sentences."""

    notes: tuple[AnchorNote, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownHeads:
    """What the anchors attest: the hash of each anchored block, by block number. `problems` describes the
    notes that could not be used, `conflict` is a sentence if two anchors contradict each other.
    """

    hashes: dict[int, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    conflict: str = ""


_readers: list[Callable[[], ReadAnchors]] = []


def on_read(reader: Callable[[], ReadAnchors]) -> None:
    """Register a function that reads the anchors of the configured places. The places belong to a higher
    layer.
    """
    _readers.append(reader)


def read_all() -> ReadAnchors:
    """Read the anchors of all configured places."""
    notes: list[AnchorNote] = []
    problems: list[str] = []
    for reader in _readers:
        answer = reader()
        notes += answer.notes
        problems += answer.problems
    return ReadAnchors(tuple(notes), tuple(problems))


def checkpoint_text(block: JournalBlock, *, origin: str) -> str:
    """Return the text to sign for this block as the head of the chain."""
    digest = base64.b64encode(bytes.fromhex(block.hash)).decode()
    return f"{origin}/journal\n{block.sequence}\n{digest}\nmade {stamp(block.made_at)}\n"


def sign_head(signer: NoteSigner) -> tuple[JournalBlock, str] | None:
    """Return the newest block and its signed note, or None if there is no block yet."""
    block = JournalBlock.objects.order_by("-sequence").first()
    if block is None:
        return None
    return block, signer.sign(checkpoint_text(block, origin=signer.name))


def heads_of(notes: Iterable[AnchorNote], verifiers: Sequence[NoteVerifier]) -> KnownHeads:
    """Return the block hashes in the notes that a known key signed. A note that doesn’t verify is reported as
    a problem, so that removing its signature doesn’t go unnoticed.
    """
    hashes: dict[int, str] = {}
    problems: list[str] = []
    conflict = ""
    for anchor in notes:
        try:
            known = as_named_in(anchor.note, verifiers)
            number, digest = _head_of(trusted_text(anchor.note, known))
        except InvalidNoteError as error:
            problems.append(f"{anchor.place}: {error}")
            continue
        if hashes.setdefault(number, digest) != digest:
            conflict = conflict or f"Two anchors name different hashes of block {number}."
    return KnownHeads(hashes, tuple(problems), conflict)


def as_named_in(note: str, verifiers: Iterable[NoteVerifier]) -> list[NoteVerifier]:
    """Return the keys under the names that the note uses. A key is named after the installation’s address,
    which can change. Raises InvalidNoteError.
    """
    publics = [verifier.public for verifier in verifiers]
    named: list[NoteVerifier] = []
    for name in {line.name for line in parse(note).signatures}:
        named += [NoteVerifier(name, public) for public in publics]
    return named


def _head_of(text: str) -> tuple[int, str]:
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0].endswith("/journal") or not lines[1].isdecimal():
        raise InvalidNoteError("The note isn’t an anchor of a journal.")
    try:
        digest = base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        raise InvalidNoteError("The hash of the anchor isn’t base64.") from None
    return int(lines[1]), digest.hex()
