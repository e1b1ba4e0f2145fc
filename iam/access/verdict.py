"""A decision taken apart into branches: each kind of policy, its levels or holders, their statements, and
each condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from iam.access.explanation import HeldPolicy
from iam.policy.document import Statement
from iam.policy.logic import NO, OPEN


class BranchVoice(StrEnum):
    """What a branch of the tree says to the request."""

    ALLOWS = "allows"
    DENIES = "denies"
    DEPENDS = "depends"
    SILENT = "silent"
    """It has a say and does not allow."""
    ASIDE = "aside"
    """It has no say here, or its silence stops nothing."""


@dataclass(frozen=True, slots=True)
class StatementCheck:
    """One part of a statement under the request: what it asks for, whether that holds (NO, OPEN, YES), what
    the request has.

    `words` say a condition to people; a part that is none has no words.
    """

    element: str
    text: str
    mark: int
    found: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class VerdictStatement:
    """A statement that speaks of the action. `mark`: whether it applies; `held` only of identity policies."""

    policy: str
    source: Statement
    mark: int
    checks: tuple[StatementCheck, ...]
    held: HeldPolicy | None = None
    problems: tuple[str, ...] = ()

    @property
    def allows(self) -> bool:
        """Whether its Effect is Allow."""
        return self.source.allows

    @property
    def label(self) -> str:
        """'statement 2 (ReadLedger)'."""
        sid = f" ({self.source.sid})" if self.source.sid else ""
        return f"statement {self.source.index + 1}{sid}"

    @property
    def open_checks(self) -> tuple[StatementCheck, ...]:
        """What its answer depends on."""
        return tuple(check for check in self.checks if check.mark == OPEN)

    @property
    def failing_checks(self) -> tuple[StatementCheck, ...]:
        """What does not fit."""
        return tuple(check for check in self.checks if check.mark == NO)


@dataclass(frozen=True, slots=True)
class VerdictBranch:
    """A kind of policy, one level of it, or one holder: what it says, its statements and its parts. `others`
    counts statements about other actions; `problems` are what AWS would not understand; `is_enough`: nothing
    of the principal's own need allow it; `is_needed`: whatever the principal's own policies say, this must
    allow it too.
    """

    kind: str
    title: str
    voice: BranchVoice
    text: str
    leaves: tuple[VerdictStatement, ...] = ()
    parts: tuple[VerdictBranch, ...] = ()
    others: int = 0
    problems: tuple[str, ...] = ()
    is_enough: bool = False
    is_needed: bool = False

    @property
    def every_leaf(self) -> Iterator[VerdictStatement]:
        """Its own statements and those of its parts."""
        yield from self.leaves
        for part in self.parts:
            yield from part.every_leaf


@dataclass(frozen=True, slots=True)
class OrganizationLevels:
    """What the levels of the organization's policies are called, the root first: of SCPs, and of RCPs; and
    why there are none.
    """

    scps: tuple[str, ...] = ()
    rcps: tuple[str, ...] = ()
    no_scps: str = ""
    no_rcps: str = ""
