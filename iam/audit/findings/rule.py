"""What a rule is, and what it yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from iam.audit.findings.facts import NO_VALUES, AccountFacts, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity

MAX_RELATED: Final = 1000
"""So many ARNs of those who are affected are kept; the count is of all."""
ROOT_IS_NOT_CHANGED: Final = (
    "Root credentials are changed as the root user, or from the management account where it manages root "
    "access centrally. Gatehouse does neither."
)
TRAILS_ARE_NOT_CHANGED: Final = (
    "Gatehouse reads CloudTrail and can’t change it, so that it can’t hide its own calls."
)


class FindingFix(NamedTuple):
    """What ends a finding: an action that opens a ready request, on an entity or (None) the account, with the
    name of the policy that its form begins with; or `page`, a word for the page on which it begins.
    """

    action: str = ""
    on: int | None = None
    policy: str = ""
    page: str = ""


class RuleProblem(NamedTuple):
    """Something that a rule found. `subject` None is the account. `cause` tells apart several findings of one
    kind on one subject. `reasons` make it conditional: each is a clause such as "SCPs weren't synced".
    """

    subject: EntityFact | None
    evidence: Mapping[str, Any] = NO_VALUES
    severity: FindingSeverity | None = None
    cause: str = ""
    related: tuple[str, ...] = ()
    affected: int = 0
    reasons: tuple[str, ...] = ()
    fix: FindingFix | None = None


class NotRead(NamedTuple):
    """A rule cannot judge this subject, since something of it was not synced."""

    subject: EntityFact | None


class FindingRule:
    """One kind of finding. A subclass declares it, and `find` yields what is wrong in an account.

    `title` is the heading of a finding, `sentence` what `--kinds` says, `risk` what can happen, `remedy` what
    to do. `sections` must have been synced whole, or nothing is said. `uses_last_use`: it rests on facts that
    have no history, so that it says nothing of a past moment. `fix_request` is a fix that is ready to be
    requested; where a finding has none and no form begins one, `no_request` says why.
    """

    kind: ClassVar[str]
    severity: ClassVar[FindingSeverity]
    title: ClassVar[str]
    sentence: ClassVar[str]
    risk: ClassVar[str]
    remedy: ClassVar[str]
    sections: ClassVar[tuple[str, ...]]
    uses_last_use: ClassVar[bool] = False
    fix_request: ClassVar[FixRequest | None] = None
    no_request: ClassVar[str] = ""

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        """Everything of this kind that is wrong in the account."""
        raise NotImplementedError
