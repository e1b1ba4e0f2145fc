"""What is found out for one proof and serves others of the same comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from iam.policy.index.circumstances import Circumstance
from iam.policy.index.grid import Fits, Met
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.verdicts import AlikeVerdict


@dataclass(slots=True)
class ProofMemory:
    """The time of the requests, and what was found for statements that others hold too."""

    space: ActionNumbering
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    known: dict[object, tuple[str, AlikeVerdict, bool]] = field(default_factory=dict)
    verdicts: dict[AlikeVerdict, AlikeVerdict] = field(default_factory=dict)
    """Each once: of one prover, equal verdicts are one object."""
    fits: Fits = field(default_factory=dict)
    met: Met = field(default_factory=dict)
    circumstances: dict[object, tuple[Circumstance, ...]] = field(default_factory=dict)
    """By all that they follow from: statements with conditions, and what the principal has in their keys."""
