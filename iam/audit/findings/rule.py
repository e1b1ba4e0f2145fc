"""Defines what a rule is and what it yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from iam.audit.findings.facts import NO_VALUES, AccountFacts, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity

MAX_RELATED: Final = 1000
"""The maximum number of stored ARNs of affected principals; the count includes all."""
ROOT_IS_NOT_CHANGED: Final = (
    "Root credentials are changed as the root user, or from the management account where it manages root "
    "access centrally. Gatehouse does neither."
)
TRAILS_ARE_NOT_CHANGED: Final = (
    "Gatehouse reads CloudTrail and can’t change it, so that it can’t hide its own calls."
)


class FindingFix(NamedTuple):
    """The fix of a finding: an action with a prepared request, or a page.

    The action is on an entity or (None) the account, with the policy name for its form; `page` is the word
    for the page to start on.
    """

    action: str = ""
    on: int | None = None
    policy: str = ""
    page: str = ""


class RuleProblem(NamedTuple):
    """A problem found by a rule.

    `subject` None is the account. `cause` distinguishes several findings of one kind on a subject. `reasons`
    make it conditional: each is a clause such as "SCPs weren't synced".
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
    """A rule can't judge this subject, because some of its data is not synced."""

    subject: EntityFact | None


class FindingRule:
    """One kind of finding. A subclass declares it, and `find` yields the problems of an account.

    `title` is the heading of a finding, `sentence` the text of `--kinds`, `risk` what can happen, `remedy`
    what to do. `sections` must be fully synced, otherwise nothing is reported. `uses_last_use`: it depends on
    facts without history, so it can't judge the past. `fix_request` is a fix that can be requested directly;
    if there is none and no form starts one, `no_request` says why.
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
        """Yield every problem of this kind in the account."""
        raise NotImplementedError
