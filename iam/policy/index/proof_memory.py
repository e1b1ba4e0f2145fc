"""Results of one proof that are reused in others of the same comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from iam.policy.index.circumstances import Circumstance
from iam.policy.index.grid import Fits, Met
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.verdicts import AlikeVerdict


@dataclass(slots=True)
class ProofMemory:
    """The time of the requests, and the results for statements that other principals hold too."""

    space: ActionNumbering
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    known: dict[object, tuple[str, AlikeVerdict, bool]] = field(default_factory=dict)
    verdicts: dict[AlikeVerdict, AlikeVerdict] = field(default_factory=dict)
    """Makes equal verdicts of one prover the same object."""
    fits: Fits = field(default_factory=dict)
    met: Met = field(default_factory=dict)
    circumstances: dict[object, tuple[Circumstance, ...]] = field(default_factory=dict)
    """Keyed by all inputs: statements with conditions, and the principal's values for their keys."""
