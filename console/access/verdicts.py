"""Prepares a verdict for its page: marks and texts of branches, links, and statements as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from console.access.stages import statement_text
from console.web.query import QueryPairs
from iam.access.explanation import NamedPolicy
from iam.access.verdict import BranchVoice, StatementCheck, VerdictBranch, VerdictStatement
from iam.policy.logic import NO, OPEN, YES

Mark = tuple[str, str, str]
VOICES: Final[dict[BranchVoice, Mark]] = {
    BranchVoice.ALLOWS: ("Allows", "ok", "check"),
    BranchVoice.DENIES: ("Denies", "bad", "shield-x"),
    BranchVoice.DEPENDS: ("Depends", "warn", "circle-help"),
    BranchVoice.SILENT: ("Doesn’t allow", "bad", "minus"),
    BranchVoice.ASIDE: ("No say", "", "minus"),
}
NO_WORD: Final[Mark] = ("Says nothing", "", "minus")
NO_DENY: Final[Mark] = ("None", "ok", "check")
APPLIES: Final[dict[tuple[bool, int], Mark]] = {
    (True, YES): ("Allows it", "ok", "check"),
    (True, OPEN): ("Allows it, if", "warn", "circle-help"),
    (True, NO): ("Would allow it, but", "", "minus"),
    (False, YES): ("Denies it", "bad", "shield-x"),
    (False, OPEN): ("Denies it, if", "warn", "circle-help"),
    (False, NO): ("Would deny it, but", "", "minus"),
}
CHECKS: Final[dict[int, Mark]] = {
    YES: ("Fits", "ok", "check"),
    OPEN: ("Open", "warn", "circle-help"),
    NO: ("Doesn’t match", "bad", "x"),
}
MAX_STATEMENT_LENGTH: Final = 8000
"""Maximum length of a statement; longer ones are read on the policy's page."""
MAX_STATEMENTS: Final = 40
"""Maximum number of statements per branch; applicable ones come first."""


@dataclass(frozen=True, slots=True)
class CheckShown:
    """A part of a statement with its mark."""

    check: StatementCheck
    mark: Mark


@dataclass(frozen=True, slots=True)
class LeafShown:
    """A statement: its policy's name and page, its mark and its parts."""

    leaf: VerdictStatement
    name: str
    url: str
    mark: Mark
    checks: list[CheckShown]
    text: str


@dataclass(frozen=True, slots=True)
class BranchShown:
    """A branch; `is_open` expands it at first, and `more` counts statements that aren’t shown."""

    branch: VerdictBranch
    mark: Mark
    url: str
    is_open: bool
    leaves: list[LeafShown]
    parts: list[BranchShown]
    more: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to expand."""
        branch = self.branch
        return not (self.leaves or self.parts or branch.others or branch.problems)


def branch_rows(branches: Iterable[VerdictBranch], *, query: QueryPairs) -> list[BranchShown]:
    """Return the branches; links keep the as-of moment of `query`."""
    return [_branch(branch, query) for branch in branches]


def _branch(branch: VerdictBranch, query: QueryPairs, *, is_part: bool = False) -> BranchShown:
    leaves = sorted(branch.leaves, key=lambda leaf: -leaf.mark)
    is_calm = branch.kind == "deny" and branch.voice is BranchVoice.ALLOWS
    # If the policies of one holder don't mention it, those of another may.
    is_quiet = is_part and branch.kind == "identity" and branch.voice is BranchVoice.SILENT
    if is_calm:
        mark = NO_DENY
    elif is_quiet:
        mark = NO_WORD
    else:
        mark = VOICES[branch.voice]
    return BranchShown(
        branch=branch,
        mark=mark,
        url=_group(branch, query),
        is_open=(
            branch.voice in {BranchVoice.DENIES, BranchVoice.DEPENDS, BranchVoice.SILENT} and not is_quiet
        )
        or (branch.kind in {"identity", "resource"} and branch.voice is BranchVoice.ALLOWS),
        leaves=[_leaf(leaf, query) for leaf in leaves[:MAX_STATEMENTS]],
        parts=[_branch(part, query, is_part=True) for part in branch.parts],
        more=max(0, len(leaves) - MAX_STATEMENTS),
    )


def _leaf(leaf: VerdictStatement, query: QueryPairs) -> LeafShown:
    text = statement_text(leaf.source)
    name = leaf.held.policy.name if leaf.held else leaf.policy
    policy = leaf.held.policy if leaf.held else None
    shown_text = text if len(text) <= MAX_STATEMENT_LENGTH else ""
    return LeafShown(
        leaf=leaf,
        name=name,
        url=_page("identities:policy", policy, query),
        mark=APPLIES[leaf.allows, leaf.mark],
        checks=[CheckShown(check, CHECKS[check.mark]) for check in leaf.checks],
        text=shown_text,
    )


def _group(branch: VerdictBranch, query: QueryPairs) -> str:
    if branch.kind != "identity":
        return ""
    holding = next((leaf.held for leaf in branch.leaves if leaf.held is not None), None)
    group = holding.group if holding else None
    return _page("identities:group", group, query)


def _page(name: str, named: NamedPolicy | None, query: QueryPairs) -> str:
    if named is None or named.pk is None:
        return ""
    return f"{reverse(name, args=[named.pk])}{query.with_only('as-of')}".rstrip("?")
