"""The result of planning a grant: for each account the chosen way, its reason, the rejected options and the
operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, Final

from iam.access.grants.models import PermissionSort
from iam.access.grants.terms import GrantTerms
from iam.changes.operations import Operation
from iam.mirror.models import Account


class GrantWay(StrEnum):
    """The ways to give a permission to its recipient."""

    GROUP = "group"
    ATTACH = "attach"
    POLICY = "policy"
    INLINE = "inline"
    TRUST = "trust"
    ROLE = "role"
    SEVERAL = "several"


WAYS: Final[dict[GrantWay, str]] = {
    GrantWay.GROUP: "Group membership",
    GrantWay.ATTACH: "Existing policy, attached",
    GrantWay.POLICY: "New policy, attached",
    GrantWay.INLINE: "Inline policy",
    GrantWay.TRUST: "Trust policy of an existing role",
    GrantWay.ROLE: "New role to assume",
    GrantWay.SEVERAL: "Several",
}


@dataclass(frozen=True, slots=True)
class OtherWay:
    """An option that was considered and rejected."""

    way: GrantWay
    why_not: str


@dataclass(frozen=True, slots=True)
class PlannedPermission:
    """One planned permission: `holder_arn` gets `target` (see LedgerEntry)."""

    holder_arn: str
    sort: PermissionSort
    target: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One operation and the permissions that it gives.

    Branch 0 runs before all others; the other branches run side by side.
    """

    operation: Operation
    permissions: tuple[PlannedPermission, ...] = ()
    branch: int = 0


@dataclass(frozen=True, slots=True)
class PartPlan:
    """The plan of a grant in one account.

    `ends_only` says which part of a temporary grant ends only while Gatehouse runs; "" if AWS ends all of it.
    `refusal` says why the part is impossible; then there are no steps. `callers` are the ARNs of users and
    roles of other accounts who assume its role. `quotas` are sentences on the AWS quotas it uses, `notes`
    further remarks.
    """

    account: Account
    way: GrantWay
    why: str
    others: tuple[OtherWay, ...] = ()
    quotas: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ends_only: str = ""
    steps: tuple[PlannedStep, ...] = ()
    refusal: str = ""
    callers: tuple[str, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """The JSON that GrantPart.plan stores."""
        return {
            "why": self.why,
            "others": [
                {"way": str(other.way), "says": WAYS[other.way], "why_not": other.why_not}
                for other in self.others
            ],
            "quotas": list(self.quotas),
            "notes": list(self.notes),
            "ends_only": self.ends_only,
        }


@dataclass(frozen=True, slots=True)
class GrantPlan:
    """The plan of a whole grant.

    `ends_at` is the end date if it were approved now, `receipt` its effect (`iam.changes.receipts`),
    `warnings` are sentences for the approver.
    """

    terms: GrantTerms
    title: str
    parts: tuple[PartPlan, ...]
    ends_at: datetime | None = None
    receipt: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def operations(self) -> list[Operation]:
        """All operations, in the order of the change set."""
        return [step.operation for step in chain.from_iterable(part.steps for part in self.parts)]

    @property
    def refusals(self) -> list[str]:
        """Why the grant can't be requested, one sentence per account."""
        return [f"{part.account.name}: {part.refusal}" for part in self.parts if part.refusal]

    @property
    def ends_only(self) -> list[str]:
        """The sentences of the parts on what ends only while Gatehouse runs."""
        return list(dict.fromkeys(part.ends_only for part in self.parts if part.ends_only))

    @property
    def risks(self) -> list[str]:
        """The risk words of the receipt (`iam.changes.risks`)."""
        return list(self.receipt.get("impact", {}).get("risks", []))


def steps_of(parts: Sequence[PartPlan]) -> Iterator[tuple[int, PlannedStep]]:
    """Every step with the lane of its part, in the order of the change set."""
    for lane, part in enumerate(parts):
        for step in part.steps:
            yield lane, step
