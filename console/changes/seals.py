"""Status of the secrets of a change or of its request, for their pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.web.access import ViewerRequest
from iam.changes.models import Change
from iam.changes.services.secrets import SecretSeal, seals_of
from iam.phrases import counted
from iam.sealed.models import SecretState


@dataclass(frozen=True, slots=True)
class SealSummary:
    """The secrets of a request with several of them: the number of all, and of those in each status."""

    total: int
    waiting: int
    read: int
    unread: int
    """Those that were destroyed because no one read them."""
    expires_at: datetime | None
    """When the last one that waits is destroyed."""

    @property
    def is_shown(self) -> bool:
        """True if one of them was sealed."""
        return bool(self.waiting or self.read or self.unread)

    @property
    def words(self) -> str:
        """Return what became of those that don't wait, such as "2 were read, 1 was destroyed unread"."""
        parts = []
        if self.read:
            parts.append(f"{_were(self.read)} read")
        if self.unread:
            parts.append(f"{_were(self.unread)} destroyed unread")
        return ", ".join(parts)

    @property
    def heading(self) -> str:
        """Return how many wait, of how many."""
        verb = "is" if self.waiting == 1 else "are"
        if self.waiting == self.total:
            return f"{counted(self.total, 'secret')} {verb} waiting, each for its person"
        if self.waiting:
            return f"{self.waiting:,} of {counted(self.total, 'secret')} {verb} waiting, each for its person"
        return "No secret is waiting"


def seal_context(request: ViewerRequest, concerned: Sequence[Change]) -> dict[str, Any]:
    """Return what the page says about the secrets of the changes that it is about.

    It differs for the recipient of a secret and for other viewers.
    """
    seals = seals_of(concerned)
    if not seals:
        return {}
    if len(seals) == 1:
        (sealing, seal) = seals[0]
        return {"seal": seal, "sealing": sealing, "reads_seal": _is_for(request, seal)}
    own = []
    for sealing, seal in seals:
        if seal.is_readable and _is_for(request, seal):
            own.append((sealing, seal))
    return {"seals": _summary([seal for _, seal in seals]), "own_seals": own}


def _is_for(request: ViewerRequest, seal: SecretSeal) -> bool:
    return request.at is None and seal.recipient_id == request.viewer.person_id


def _summary(seals: Sequence[SecretSeal]) -> SealSummary:
    rows = [seal.row for seal in seals if seal.row is not None]
    waiting = [row for row in rows if row.state == SecretState.SEALED]
    read = sum(row.state == SecretState.OPENED for row in rows)
    unread = sum(row.ended_at is not None for row in rows) - read
    return SealSummary(
        total=len(seals),
        waiting=len(waiting),
        read=read,
        unread=unread,
        expires_at=max((row.expires_at for row in waiting), default=None),
    )


def _were(number: int) -> str:
    return "1 was" if number == 1 else f"{number:,} were"
