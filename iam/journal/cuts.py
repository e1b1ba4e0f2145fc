"""Cuts: signed notes of the entries that retention has removed. A missing entry that no valid note covers
breaks the chain.

The blocks and hashes of all entries stay, so that the chain can be recomputed from its first block. The text
of a note has five lines: the origin, the number of the last block that lacks entries, its hash in base64, the
number of removed entries, and a SHA-256 over their ids and hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from iam.journal.anchors import as_named_in
from iam.journal.models import JournalBlock, JournalCut, JournalLink
from iam.journal.signed_notes import InvalidNoteError, NoteSigner, NoteVerifier, trusted_text


@dataclass(frozen=True, slots=True)
class CutState:
    """The newest cut. `problem` is a sentence if its note isn’t validly signed by a known key; the cut then
    covers nothing.
    """

    cut: JournalCut | None = None
    problem: str = ""

    def covers(self, block: JournalBlock) -> bool:
        """Return True if entries of the block can be missing."""
        return self.cut is not None and not self.problem and block.sequence <= self.cut.block


class RemovedDigest:
    """SHA-256 over the ids and hashes of removed entries, in the order of the chain."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.count = 0

    def add(self, link: JournalLink) -> None:
        """Add a removed entry."""
        self._hash.update(f"{link.entry_id} {link.hash}\n".encode())
        self.count += 1

    def hexdigest(self) -> str:
        """Return the digest so far."""
        return self._hash.hexdigest()


def cut_text(block: JournalBlock, gone: RemovedDigest, *, origin: str) -> str:
    """Return the text to sign for a removal."""
    return _text(block.sequence, block.hash, gone.count, gone.hexdigest(), origin=origin)


def sign_cut(block: JournalBlock, gone: RemovedDigest, signer: NoteSigner) -> str:
    """Return the signed note of a removal."""
    return signer.sign(cut_text(block, gone, origin=signer.name))


def newest_cut(verifiers: Sequence[NoteVerifier]) -> CutState:
    """Return the newest cut, with the problem if its note isn’t valid."""
    cut = JournalCut.objects.order_by("-pk").first()
    if cut is None:
        return CutState()
    try:
        text = trusted_text(cut.note, as_named_in(cut.note, verifiers))
    except InvalidNoteError as error:
        return CutState(cut, f"The record of removed entries isn’t valid: {error}")
    origin = text.split("\n")[0].removesuffix("/journal-removed")
    if text != _text(cut.block, cut.block_hash, cut.removed, cut.digest, origin=origin):
        return CutState(cut, "The record of removed entries isn’t the one that was signed.")
    return CutState(cut)


def _text(block: int, block_hash: str, removed: int, digest: str, *, origin: str) -> str:
    try:
        encoded = base64.b64encode(bytes.fromhex(block_hash)).decode()
    except ValueError:
        encoded = ""
    return f"{origin}/journal-removed\n{block}\n{encoded}\nremoved {removed}\nsha256 {digest}\n"
