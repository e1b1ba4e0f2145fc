"""The terms of a scope, and the states and verdicts of requirements. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple


class RequirementState(StrEnum):
    """The state of a requirement."""

    FAILED = "failed"
    PERSON = "needs a person"
    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"


STATE_LABELS: Final[Mapping[str, str]] = {
    RequirementState.FAILED: "Failed",
    RequirementState.PERSON: "Needs a person",
    RequirementState.PASSED: "Passed",
    RequirementState.NOT_APPLICABLE: "Not applicable",
}


class AutomaticVerdict(StrEnum):
    """The verdict of Gatehouse itself. `unknown`: some data is not synced; `person`: a person must judge."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    PERSON = "person"
    PASSED = "passed"


WORST_FIRST: Final = tuple(AutomaticVerdict)


def worst(verdicts: Iterable[AutomaticVerdict]) -> AutomaticVerdict:
    """The worst of these verdicts; `person` if there are none."""
    return min(verdicts, key=WORST_FIRST.index, default=AutomaticVerdict.PERSON)


@dataclass(frozen=True, slots=True)
class ScopeTerms:
    """The terms of a scope.

    `accounts` are account IDs, () for all connected ones. Users, groups, roles and policies belong to it by
    one of the `tags` or path prefixes; without both, all do. `resources` are ARNs of data stores and KMS keys
    whose readers and administrators are checked.
    """

    accounts: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    paths: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        """True if only some identities of an account belong to it."""
        return bool(self.tags or self.paths)

    def covers_account(self, number: str) -> bool:
        """True if the account belongs to it."""
        return not self.accounts or number in self.accounts

    def covers(self, path: str, tags: Mapping[str, str]) -> bool:
        """True if something with this path and these tags belongs to it."""
        if not self.is_narrowed:
            return True
        by_tag = any(tags.get(name) == value for name, value in self.tags)
        return by_tag or any(path.startswith(prefix) for prefix in self.paths)

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "accounts": list(self.accounts),
            "tags": [list(tag) for tag in self.tags],
            "paths": list(self.paths),
            "resources": list(self.resources),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ScopeTerms:
        """Parse the stored form."""
        return cls(
            tuple(value.get("accounts", ())),
            tuple((name, text) for name, text in value.get("tags", ())),
            tuple(value.get("paths", ())),
            tuple(value.get("resources", ())),
        )


EVERYTHING: Final = ScopeTerms()


SCOPED: Final = re.compile(r"arn:[^:]+:iam::[^:]*:(user|group|role|policy)/")
"""The ARNs of kinds that can be scoped by tags and paths."""


class ScopedArns(NamedTuple):
    """The ARNs of an account that belong to a scope; None for all."""

    arns: frozenset[str] | None = None

    def has(self, arn: str) -> bool:
        """True if it belongs to the scope."""
        return self.arns is None or arn in self.arns

    def has_finding(self, subject: str, related: Iterable[str]) -> bool:
        """True if a finding belongs to the scope, by its subject or someone it concerns.

        Findings about the account, its trails or instances belong to every scope of the account.
        """
        if self.arns is None or not SCOPED.match(subject):
            return True
        return subject in self.arns or any(arn in self.arns for arn in related)


ALL_ARNS: Final = ScopedArns()
