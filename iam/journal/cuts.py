"""What the retention has removed, as a signed note: a missing entry that no valid note covers is a break.

Blocks and hashes of all entries stay, so the chain can be recomputed from its first block on. The text of a
note is the origin, the number of the last block that lacks entries, its hash in base64, how many entries are
gone, and a SHA-256 over their numbers and hashes, each on its line.
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
    """The newest cut. `problem` is a sentence if its note isn’t what a known key signed for it; nothing is
    covered by it then.
    """

    cut: JournalCut | None = None
    problem: str = ""

    def covers(self, block: JournalBlock) -> bool:
        """Whether entries of the block may be missing."""
        return self.cut is not None and not self.problem and block.sequence <= self.cut.block


class RemovedDigest:
    """SHA-256 over the numbers and hashes of entries that are gone, in the order of the chain."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.count = 0

    def add(self, link: JournalLink) -> None:
        """One more entry."""
        self._hash.update(f"{link.entry_id} {link.hash}\n".encode())
        self.count += 1

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def cut_text(block: JournalBlock, gone: RemovedDigest, *, origin: str) -> str:
    """The text that is signed for a removal."""
    return _text(block.sequence, block.hash, gone.count, gone.hexdigest(), origin=origin)


def sign_cut(block: JournalBlock, gone: RemovedDigest, signer: NoteSigner) -> str:
    """The signed note of a removal."""
    return signer.sign(cut_text(block, gone, origin=signer.name))


def newest_cut(verifiers: Sequence[NoteVerifier]) -> CutState:
    """The newest cut, and what is wrong with its note."""
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
