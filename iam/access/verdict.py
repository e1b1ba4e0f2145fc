"""The data classes of an explained decision: branches for policy types, levels and holders, with statements
and conditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from iam.access.explanation import HeldPolicy
from iam.policy.document import Statement
from iam.policy.logic import OPEN


class BranchVoice(StrEnum):
    """The effect of a branch on the request."""

    ALLOWS = "allows"
    DENIES = "denies"
    DEPENDS = "depends"
    SILENT = "silent"
    """The branch counts and does not allow."""
    ASIDE = "aside"
    """The branch does not apply, or does not need to allow."""


@dataclass(frozen=True, slots=True)
class StatementCheck:
    """One element of a statement checked against the request: what it requires, the result (NO, OPEN, YES)
    and the request's value.

    `words` is the condition in plain language; "" for other elements.
    """

    element: str
    text: str
    mark: int
    found: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class VerdictStatement:
    """A statement about the action. `mark` is the result of matching it; `held` is set only for identity
    policies.
    """

    policy: str
    source: Statement
    mark: int
    checks: tuple[StatementCheck, ...]
    held: HeldPolicy | None = None
    problems: tuple[str, ...] = ()

    @property
    def allows(self) -> bool:
        """True if its Effect is Allow."""
        return self.source.allows

    @property
    def label(self) -> str:
        """'statement 2 (ReadLedger)'."""
        sid = f" ({self.source.sid})" if self.source.sid else ""
        return f"statement {self.source.index + 1}{sid}"

    @property
    def open_checks(self) -> tuple[StatementCheck, ...]:
        """The checks that the result depends on."""
        return tuple(check for check in self.checks if check.mark == OPEN)


@dataclass(frozen=True, slots=True)
class VerdictBranch:
    """A policy type, one of its levels or one holder, with its effect, statements and sub-branches.

    `others` counts statements about other actions. `problems` are parts that AWS would not understand. With
    `is_enough`, the principal's own policies don't need to allow it. With `is_needed`, this branch must allow
    it whatever they say.
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
        """The statements of the branch and its sub-branches."""
        yield from self.leaves
        for part in self.parts:
            yield from part.every_leaf


@dataclass(frozen=True, slots=True)
class OrganizationLevels:
    """The names of the organization's levels, root first, for SCPs and RCPs; or why there are none."""

    scps: tuple[str, ...] = ()
    rcps: tuple[str, ...] = ()
    no_scps: str = ""
    no_rcps: str = ""
