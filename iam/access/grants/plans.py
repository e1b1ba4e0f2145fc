"""What planning a grant comes to: the way in each account, why, what else was weighed, and the operations
that it takes.
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
    """How a permission comes to whom it is for."""

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
    """A way that was weighed and not taken."""

    way: GrantWay
    why_not: str


@dataclass(frozen=True, slots=True)
class PlannedPermission:
    """One permission: `holder_arn` has `target` (see LedgerEntry)."""

    holder_arn: str
    sort: PermissionSort
    target: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One operation, the permissions that are there once it is done, and its branch: 0 before all others,
    else beside other branches.
    """

    operation: Operation
    permissions: tuple[PlannedPermission, ...] = ()
    branch: int = 0


@dataclass(frozen=True, slots=True)
class PartPlan:
    """A grant in one account.

    `ends_only` says, of a grant that ends by itself, what ends only while Gatehouse runs; "" where AWS itself
    ends all of it. `refusal` says why there is no way; then there are no steps. `callers` are the ARNs of
    users and roles of other accounts who come in through its role. `quotas` are sentences on the quotas of
    AWS that it draws on, `notes` what else is to be known.
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
    def way_text(self) -> str:
        """The way in words."""
        return WAYS[self.way]

    @property
    def body(self) -> dict[str, Any]:
        """What a part keeps of it, as JSON."""
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
    """A whole grant. `ends_at` is when it would end if it were approved now, `receipt` what it comes to as a
    set holds it (`iam.changes.receipts`), `warnings` are sentences that the approver has to know.
    """

    terms: GrantTerms
    title: str
    parts: tuple[PartPlan, ...]
    ends_at: datetime | None = None
    receipt: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def operations(self) -> list[Operation]:
        """All of it, in the order of the set."""
        return [step.operation for step in chain.from_iterable(part.steps for part in self.parts)]

    @property
    def refusals(self) -> list[str]:
        """Why it cannot be asked for, an account a sentence."""
        return [f"{part.account.name}: {part.refusal}" for part in self.parts if part.refusal]

    @property
    def ends_only(self) -> list[str]:
        """What ends only while Gatehouse runs."""
        return list(dict.fromkeys(part.ends_only for part in self.parts if part.ends_only))

    @property
    def risks(self) -> list[str]:
        """Words of `iam.changes.risks`."""
        return list(self.receipt.get("impact", {}).get("risks", []))


def steps_of(parts: Sequence[PartPlan]) -> Iterator[tuple[int, PlannedStep]]:
    """Every step with the lane of its part, in the order of the set."""
    for lane, part in enumerate(parts):
        for step in part.steps:
            yield lane, step
