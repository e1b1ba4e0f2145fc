"""The question who can perform an action on a resource, and its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from operator import itemgetter
from typing import Any, Final, NamedTuple

from iam.policy.catalogue import catalogue
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.classes import IndexedPrincipal, PrincipalClass
from iam.policy.request import PrincipalKind

PEOPLE_AND_ROLES: Final = frozenset({PrincipalKind.USER, PrincipalKind.ROLE})
WITH_ROOT: Final = PEOPLE_AND_ROLES | {PrincipalKind.ROOT}


@dataclass(frozen=True, slots=True)
class AccessQuestion:
    """An action on a resource or a pattern of resources. `accounts` limits the question to principals of
    these accounts; None means all.

    `resource_account` is the owner of the resource, if the ARN doesn't contain it. `resource_policy` is the
    resource-based policy, as JSON text or as the parsed mapping; trust policies of roles are already known.
    With `strict`, unspecified context keys are absent. `is_pattern`: None derives it from the resource; `*`
    alone is a pattern for actions that have resource types. `is_any_time` leaves the time of the request
    open; otherwise it is the moment of the index unless the context specifies it.
    """

    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    accounts: frozenset[str] | None = None
    resource_account: str = ""
    resource_policy: str | Mapping[str, Any] | None = None
    strict: bool = False
    kinds: frozenset[PrincipalKind] = PEOPLE_AND_ROLES
    is_pattern: bool | None = None
    is_any_time: bool = False

    @property
    def asks_for_pattern(self) -> bool:
        """True if wildcards in the resource stand for several resources."""
        if self.is_pattern is not None:
            return self.is_pattern
        if self.resource == "*":
            return bool(catalogue().resource_types(self.action))
        return "*" in self.resource or "?" in self.resource


class MatchedPrincipals(NamedTuple):
    """Principals of one account with the same decision, either ALLOWED or CONDITIONAL."""

    decision: EvaluationDecision
    account: str
    members: Sequence[IndexedPrincipal]


@dataclass(frozen=True, slots=True)
class AnswerLimitation:
    """A limit of an answer. `kind` is one of the constants below, `accounts` are the affected accounts; empty
    if it concerns no particular account.
    """

    kind: str
    text: str
    accounts: tuple[str, ...] = ()


OTHER_ACCOUNTS: Final = "other-accounts"
OWN_ACCOUNT: Final = "own-account"
RESOURCE_POLICY: Final = "resource-policy"
CONTROL_POLICIES: Final = "control-policies"
UNREADABLE: Final = "unreadable"
KMS_GRANTS: Final = "kms-grants"
OWNED_BY_AWS: Final = "owned-by-aws"


@dataclass(frozen=True, slots=True)
class WhoCanAnswer:
    """The principals who can. Counts are exact; `limitations` are the limits of the answer. `whole` are
    classes in which all members have the same decision, `parts` are groups of members from the other classes.

    The answer refers to the index, so read it before the index changes.
    """

    question: AccessQuestion
    whole: Mapping[EvaluationDecision, list[PrincipalClass]]
    parts: list[MatchedPrincipals]
    limitations: tuple[AnswerLimitation, ...] = ()

    def groups_of(self, decision: EvaluationDecision | None = None) -> Iterator[MatchedPrincipals]:
        """The groups of principals of one account with this decision; None means both decisions."""
        for each, classes in self.whole.items():
            if decision is None or each is decision:
                yield from (MatchedPrincipals(each, cls.account, cls.members) for cls in classes)
        for part in self.parts:
            if decision is None or part.decision is decision:
                yield part

    def count(self, decision: EvaluationDecision) -> int:
        """The number of principals with this decision."""
        return sum(cls.size for cls in self.whole.get(decision, ())) + sum(
            len(part.members) for part in self.parts if part.decision is decision
        )

    def members(self, decision: EvaluationDecision | None = None) -> Iterator[IndexedPrincipal]:
        """The principals, group by group."""
        for each in self.groups_of(decision):
            yield from each.members

    def names(self, decision: EvaluationDecision | None = None) -> list[str]:
        """The ARNs of the principals."""
        names: list[str] = []
        for each, classes in self.whole.items():
            if decision is None or each is decision:
                for cls in classes:
                    names += cls.members.arns
        for part in self.parts:
            if decision is None or part.decision is decision:
                names += [member.arn for member in part.members]
        return names

    def page(
        self, *, size: int, after: tuple[str, str] = ("", ""), decision: EvaluationDecision | None = None
    ) -> list[tuple[IndexedPrincipal, EvaluationDecision]]:
        """Members ordered by account and ARN, starting after the pair `after` (account, ARN), with their
        decisions.
        """

        def rows() -> Iterator[tuple[tuple[str, str], IndexedPrincipal, EvaluationDecision]]:
            for group in self.groups_of(decision):
                for member in group.members:
                    place = (group.account, member.arn)
                    if place > after:
                        yield place, member, group.decision

        first_rows = nsmallest(size, rows(), key=itemgetter(0))
        return [(member, its_decision) for _, member, its_decision in first_rows]
